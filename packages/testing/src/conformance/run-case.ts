import { randomUUID } from "node:crypto";
import type { ConformanceCase, Scope, Step } from "./case.ts";
import { filled, mismatch, type Shape } from "./shape.ts";
import type { Reply, World } from "./world.ts";

const RETRY_MS = 50;

/** What one case knows: ids and tokens by name, and what its steps saved. */
class CaseScope implements Scope {
  readonly base: string;
  readonly #world: World;
  readonly #values = new Map<string, string>();
  readonly #tokens = new Map<string, string>();
  /** Workspaces of this case alone. */
  readonly #own: string[] = [];

  constructor(world: World) {
    this.#world = world;
    this.base = world.server.base;
    this.#values.set("agent", world.server.agentUrl);
    this.#values.set("runtime", world.server.runtime);
    this.#values.set("host", new URL(world.server.base).host);
    this.#values.set("base", world.server.base);
    this.#tokens.set("admin", world.server.token);
    this.#tokens.set("wrong", `wst_${"x".repeat(43)}`);
  }

  async fill(text: string): Promise<string> {
    const names = [...text.matchAll(/\{([a-zA-Z][\w-]*)\}/g)].map(([, name]) => name ?? "");
    for (const name of names) await this.#know(name);
    return text.replace(/\{([a-zA-Z][\w-]*)\}/g, (whole, name: string) => {
      return this.#values.get(name) ?? whole;
    });
  }

  async bearer(name: string | null): Promise<string | null> {
    if (name === null) return null;
    if (!this.#tokens.has(name)) await this.#know(name);
    return this.#tokens.get(name) ?? this.#values.get(name) ?? name;
  }

  async run(step: Step): Promise<unknown> {
    const deadline = performance.now() + (step.within ?? 0);
    for (;;) {
      const { reply, problem } = await this.#attempt(step);
      if (problem === null) {
        for (const [name, path] of Object.entries(step.save ?? {})) {
          this.#values.set(name, String(fieldOf(reply, path)));
        }
        if (step.call.method === "POST" && step.call.path === "/workspaces") this.#adopt(reply);
        return reply.json;
      }
      if (performance.now() >= deadline) throw new Error(problem);
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }

  async #attempt(step: Step): Promise<{ reply: Reply; problem: string | null }> {
    const { call } = step;
    // Before the request: what the answer must name has to be there by then.
    const wanted = await this.#wanted(step);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(call.headers ?? {})) {
      headers[name] = await this.fill(value);
    }
    const reply = await this.#world.send({
      method: call.method,
      url: await this.fill(call.path),
      token: await this.bearer(call.as),
      headers,
      body: await this.#filledBody(call.body),
    });
    return { reply, problem: problemOf(step, wanted, reply) };
  }

  async #wanted({ body, headers = {} }: Step): Promise<Wanted> {
    const filledHeaders: [string, Shape][] = [];
    for (const [name, shape] of Object.entries(headers)) {
      filledHeaders.push([name, await this.#filledShape(shape)]);
    }
    return {
      body: body === undefined ? undefined : await this.#filledShape(body),
      headers: filledHeaders,
    };
  }

  async #filledShape(shape: Shape): Promise<Shape> {
    const texts = new Map<string, string>();
    filled(shape, (one) => {
      texts.set(one, one);
      return one;
    });
    for (const one of texts.keys()) texts.set(one, await this.fill(one));
    return filled(shape, (one) => texts.get(one) ?? one);
  }

  async #filledBody(body: unknown): Promise<unknown> {
    if (body === undefined || body instanceof FormData) return body;
    if (typeof body === "string") return body;
    return JSON.parse(await this.fill(JSON.stringify(body)));
  }

  #adopt(reply: Reply): void {
    const id = fieldOf(reply, "id");
    if (typeof id === "string") this.#own.push(id);
  }

  /** Removes what this case made. */
  async end(): Promise<void> {
    for (const id of this.#own.reverse()) await this.#world.remove(id);
  }

  async #know(name: string): Promise<void> {
    if (this.#values.has(name)) return;
    if (name.startsWith("uuid") || name.startsWith("unknown")) {
      this.#values.set(name, randomUUID());
      return;
    }
    const member = await this.#memberOf(name);
    if (member === null) return;
    if (!SHARED.test(name)) this.#own.push(member.id);
    this.#values.set(name, member.id);
    this.#tokens.set(name, member.token);
  }

  /** Names that begin with `fresh` are this case's own workspaces. */
  async #memberOf(name: string): Promise<{ id: string; token: string } | null> {
    const world = this.#world;
    if (SHARED.test(name)) return await world.shared(name);
    const push = /^fresh-push-(\w+)$/.exec(name)?.[1];
    if (push !== undefined) return await world.makePush(push);
    if (/^freshManagedChild/.test(name)) {
      return await world.makeManaged(await this.fill("{freshManaged}"));
    }
    if (/^freshManaged/.test(name)) return await world.makeManaged();
    if (/^freshAwaited/.test(name)) return await world.makeAwaited();
    if (/^freshChild/.test(name)) return await world.makeExternal(await this.fill("{fresh}"));
    if (/^fresh/.test(name)) return await world.makeExternal(null);
    return null;
  }
}

/** What an answer must be, with every name filled in. */
interface Wanted {
  readonly body: Shape | undefined;
  readonly headers: readonly (readonly [string, Shape])[];
}

function problemOf(step: Step, wanted: Wanted, reply: Reply): string | null {
  if (!step.status.includes(reply.status)) {
    const { method, path } = step.call;
    const said = reply.text.slice(0, 200);
    return `${method} ${path} answered ${reply.status}, not ${step.status.join(" or ")}: ${said}`;
  }
  for (const [name, shape] of wanted.headers) {
    const found = mismatch(shape, reply.headers.get(name) ?? undefined, `header ${name}`);
    if (found !== null) return found;
  }
  if (wanted.body === undefined) return null;
  return mismatch(wanted.body, reply.json === undefined ? reply.text : reply.json);
}

const SHARED = /^(lead|other|member|peer|grandchild|stranger|managed|removed|push-\w+)$/;

/** A field of the answer by its path; `$` is the text, `header:NAME` a header. */
function fieldOf(reply: Reply, path: string): unknown {
  if (path === "$") return reply.text;
  if (path.startsWith("header:")) return reply.headers.get(path.slice(7)) ?? "";
  let value: unknown = reply.json;
  for (const key of path.split(".")) {
    value =
      typeof value === "object" && value !== null
        ? (value as Readonly<Record<string, unknown>>)[key]
        : undefined;
  }
  return value;
}

/** Runs a case. @returns what was wrong, null when nothing was. */
export async function runCase(world: World, one: ConformanceCase): Promise<string | null> {
  const scope = new CaseScope(world);
  try {
    for (const step of one.steps) await scope.run(step);
    await one.custom?.run(scope);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await scope.end();
  }
}
