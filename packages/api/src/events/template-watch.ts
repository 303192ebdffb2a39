import { createHash } from "node:crypto";
import { loadOrgTemplates } from "@molecule/templates/load-org-templates";
import type { Deps } from "../deps.ts";
import { listTemplates } from "../services/templates/list-templates.ts";

/** How often the lists are looked at while somebody follows. */
const LOOK_EVERY_MS = 3_000;

/**
 * Tells its followers when the templates or teams are others than at the last look: a folder was changed
 * by hand, one was imported or removed, one broke. Looks only while somebody follows. A look that fails
 * says nothing; the next one decides.
 */
export class TemplateWatch {
  readonly #deps: Deps;
  readonly #everyMs: number;
  readonly #followers = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;
  #look: Promise<void> = Promise.resolve();
  /** Null before the first look. */
  #mark: string | null = null;
  #isFailing = false;

  constructor(deps: Deps, options: { readonly everyMs?: number } = {}) {
    this.#deps = deps;
    this.#everyMs = options.everyMs ?? LOOK_EVERY_MS;
  }

  /** Calls `onChange` after every change until the returned function is called. */
  follow(onChange: () => void): () => void {
    this.#followers.add(onChange);
    if (this.#timer === null) this.#schedule(0);
    return () => {
      this.#followers.delete(onChange);
      if (this.#followers.size === 0) this.#rest();
    };
  }

  /** Nobody is told anything after it resolves. */
  async stop(): Promise<void> {
    this.#followers.clear();
    this.#rest();
    await this.#look;
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#look = this.#lookOnce().finally(() => {
        if (this.#followers.size > 0) this.#schedule(this.#everyMs);
        else this.#timer = null;
      });
    }, delayMs);
    this.#timer.unref();
  }

  async #lookOnce(): Promise<void> {
    try {
      const mark = await markOf(this.#deps);
      const isOther = this.#mark !== null && this.#mark !== mark;
      this.#mark = mark;
      this.#isFailing = false;
      if (isOther) for (const onChange of this.#followers) onChange();
    } catch (err) {
      if (!this.#isFailing) this.#deps.log.warn({ err }, "the templates could not be looked at");
      this.#isFailing = true;
    }
  }
}

async function markOf(deps: Deps): Promise<string> {
  const [templates, teams] = await Promise.all([
    listTemplates(deps),
    loadOrgTemplates(deps.orgTemplatesDir),
  ]);
  return createHash("sha256")
    .update(JSON.stringify([templates, teams]))
    .digest("hex");
}
