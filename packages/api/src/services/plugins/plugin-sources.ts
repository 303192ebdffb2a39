import { DomainError, type ErrorCode, isDomainError } from "@molecule/domain/errors";
import {
  archiveRefs,
  isAllowedSource,
  isSha256,
  PLUGIN_SCHEMES,
  type PluginSource,
  parsePluginSource,
  type SourceRefusal,
  sourceText,
} from "@molecule/domain/plugins";
import {
  type LocalPlugin,
  listLocalPlugins,
  readLocalPlugin,
} from "@molecule/templates/plugins/local-plugins";
import { contentOf, type PluginContent } from "@molecule/templates/plugins/plugin-content";
import type { ConnectionOptions } from "../../adapters/agent-line.ts";
import {
  type ArchiveHost,
  type ArchiveOutcome,
  downloadArchive,
} from "../../adapters/plugin-download.ts";

/** What the operator decided about plugins. */
export interface PluginSettings {
  /** Folder of the plugins called `local://…`. */
  readonly localDir: string;
  readonly github: ArchiveHost;
  /** A source of GitHub needs no tag and no commit. */
  readonly allowsUnpinned: boolean;
  /** Sources the organisation lets in; empty: all. */
  readonly allowed: readonly string[];
  /** Largest body of `POST …/plugins`. */
  readonly bodyMaxBytes: number;
  readonly fetchTimeoutMs: number;
  /** Most bytes of one plugin's files, and of its archive. */
  readonly maxBytes: number;
}

/** A plugin somebody wants. */
export interface PluginWanted {
  readonly source: string;
  /** Of its content, or of its archive's bytes; null: whatever it is. */
  readonly sha256: string | null;
}

/** Where plugins come from. One behind which every source is. */
export interface PluginSources {
  readonly settings: PluginSettings;
  /** What the operator's folder has now, broken ones with their cause. */
  list(): Promise<LocalPlugin[]>;
  /** The source by its text, if it may be used. @throws DomainError `bad_request`, `forbidden`. */
  check(text: string): PluginSource;
  /**
   * Fetches a plugin and checks all of it. SPEC: PL6, PL7.
   * @throws DomainError `bad_request`, `forbidden`, `not_found`, `payload_too_large`, `unprocessable`,
   * `upstream_failed`, `upstream_timeout`. None has more of the source in it than its address.
   */
  fetch(wanted: PluginWanted, signal: AbortSignal): Promise<PluginContent>;
}

/** Fetches that go on at the same time in one process; each may hold a whole plugin. */
const MAX_AT_ONCE = 2;

/** What the sources are made with. */
export interface PluginSourceParts extends ConnectionOptions {
  readonly settings: PluginSettings;
  readonly log: { info(data: object, message: string): void };
  readonly now: () => Date;
}

export function createPluginSources(parts: PluginSourceParts): PluginSources {
  const { settings, log } = parts;
  const turns = new Turns(MAX_AT_ONCE);
  const check = (text: string) => checkSource(text, settings);
  return {
    settings,
    list: () => listLocalPlugins(settings.localDir),
    check,
    fetch: async ({ source: text, sha256 }, signal) => {
      const wanted = sha256 === null || sha256.trim() === "" ? null : sha256.trim().toLowerCase();
      const source = check(text);
      if (wanted !== null && !isSha256(wanted)) {
        throw new DomainError("bad_request", "The checksum is no SHA-256: 64 hexadecimal digits.", {
          details: { field: "sha256" },
        });
      }
      requirePin(source, settings);
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(settings.fetchTimeoutMs)]);
      try {
        await using _turn = await turns.take(deadline);
        return await fetchOne(parts, { source, wanted, signal: deadline });
      } catch (error) {
        const failure = named(error, source);
        const { scheme } = source;
        log.info(
          { scheme, source: sourceText(source), code: failure.code },
          "a plugin was not fetched",
        );
        throw failure;
      }
    },
  };
}

const REFUSALS: Readonly<Record<SourceRefusal, string>> = {
  empty: "Name the plugin’s source.",
  too_long: "The source of the plugin is too long.",
  unknown_scheme: "This platform does not know plugins of that kind.",
  malformed: "This is not the source of a plugin.",
};

function checkSource(text: string, { allowed }: PluginSettings): PluginSource {
  const parsed = parsePluginSource(text);
  if ("refusal" in parsed) {
    throw new DomainError("bad_request", REFUSALS[parsed.refusal], {
      next: "A source is the name of a plugin, local://NAME, or github://OWNER/REPO#TAG-OR-COMMIT.",
      details: { available_schemes: [...PLUGIN_SCHEMES] },
    });
  }
  if (isAllowedSource(parsed.source, allowed)) return parsed.source;
  const refusal = new DomainError(
    "forbidden",
    "This organisation does not allow plugins of that source.",
    {
      next: "Ask the operator to add it to PLUGIN_ALLOWLIST.",
    },
  );
  throw named(refusal, parsed.source);
}

function requirePin(source: PluginSource, { allowsUnpinned }: PluginSettings): void {
  if (source.scheme !== "github" || archiveRefs(source.ref, { allowsUnpinned }).length > 0) return;
  const refusal = new DomainError(
    "unprocessable",
    "A plugin of GitHub needs a tag or a whole commit.",
    {
      next: "Write #TAG or #COMMIT behind the repository, so that it is the same plugin tomorrow.",
    },
  );
  throw named(refusal, source);
}

interface Fetching {
  readonly source: PluginSource;
  readonly wanted: string | null;
  readonly signal: AbortSignal;
}

async function fetchOne(parts: PluginSourceParts, fetching: Fetching): Promise<PluginContent> {
  const { source, wanted } = fetching;
  const { content, archiveSha256 } =
    source.scheme === "local"
      ? { content: await fetchLocal(parts, source), archiveSha256: null }
      : await fetchGithub(parts, source, fetching.signal);
  if (wanted !== null && wanted !== content.plugin.sha256 && wanted !== archiveSha256) {
    throw new DomainError(
      "unprocessable",
      "The plugin has another content than the checksum says.",
      {
        next: "Compare the checksum with the one its author gives. Nothing was installed.",
      },
    );
  }
  return content;
}

async function fetchLocal(
  { settings: { localDir, maxBytes } }: PluginSourceParts,
  source: Extract<PluginSource, { scheme: "local" }>,
): Promise<PluginContent> {
  const found = await readLocalPlugin(localDir, {
    name: source.name,
    source: sourceText(source),
    maxBytes,
  });
  if (found !== null) return found;
  throw new DomainError("not_found", "The operator offers no plugin of that name.", {
    next: "GET /plugins lists those there are.",
  });
}

async function fetchGithub(
  { settings, allowCidrs, resolve, now }: PluginSourceParts,
  source: Extract<PluginSource, { scheme: "github" }>,
  signal: AbortSignal,
): Promise<{ readonly content: PluginContent; readonly archiveSha256: string }> {
  const { github: host, maxBytes, allowsUnpinned } = settings;
  for (const ref of archiveRefs(source.ref, { allowsUnpinned })) {
    const place = [source.owner, source.repo, "tar.gz", ...ref.split("/")];
    const path = `/${place.map(encodeURIComponent).join("/")}`;
    const options = { allowCidrs, resolve, host, now };
    const outcome = await downloadArchive(options, { path, maxBytes, signal });
    if (outcome.kind === "status" && outcome.status === 404) continue;
    if (outcome.kind !== "files") throw refusalOf(outcome, now());
    const { files, archiveSha256 } = outcome;
    const isPinned = archiveRefs(source.ref, { allowsUnpinned: false }).includes(ref);
    return { content: contentOf({ source: sourceText(source), isPinned }, files), archiveSha256 };
  }
  throw new DomainError(
    "not_found",
    "GitHub has no such repository, or no such tag or commit in it.",
    {
      next: "Check the address. A branch is no tag, and a private repository needs PLUGIN_GITHUB_TOKEN.",
    },
  );
}

/** Why nothing came, as a person may read it. */
function refusalOf(outcome: Exclude<ArchiveOutcome, { kind: "files" }>, now: Date): DomainError {
  if (outcome.kind === "failed") return FAILURES[outcome.why]();
  const { status, retryAfterSeconds } = outcome;
  if (retryAfterSeconds !== null) {
    const at = new Date(now.getTime() + retryAfterSeconds * 1000).toISOString();
    return new DomainError(
      "upstream_failed",
      "GitHub takes no more requests from this platform for now.",
      {
        next: `Try again after ${at.slice(0, 10)} ${at.slice(11, 16)} UTC.`,
        details: { retry_after: retryAfterSeconds },
      },
    );
  }
  const isRefused = status === 401 || status === 403;
  return new DomainError(
    "upstream_failed",
    isRefused
      ? "GitHub does not give this repository out."
      : `GitHub answered with an error (${status}).`,
    {
      next: isRefused
        ? "Ask the operator whether PLUGIN_GITHUB_TOKEN may read it."
        : "Try again later.",
    },
  );
}

const failed = (code: ErrorCode, sentence: string, next: string) => () =>
  new DomainError(code, sentence, { next });
const FAILURES: Readonly<
  Record<Extract<ArchiveOutcome, { kind: "failed" }>["why"], () => DomainError>
> = {
  unreachable: failed(
    "upstream_failed",
    "GitHub could not be reached from this platform.",
    "Try again later, or ask the operator whether this machine reaches it.",
  ),
  timeout: failed(
    "upstream_timeout",
    "GitHub did not send the plugin in time.",
    "Try again later.",
  ),
  broken_off: failed(
    "upstream_failed",
    "The plugin broke off on its way from GitHub.",
    "Try again.",
  ),
  no_archive: failed(
    "upstream_failed",
    "What GitHub sent is no whole archive.",
    "Try again later.",
  ),
  too_large: failed(
    "payload_too_large",
    "The plugin is larger than this platform takes.",
    "Ask the operator about PLUGIN_INSTALL_MAX_DIR_BYTES.",
  ),
  redirect: failed(
    "upstream_failed",
    "GitHub sent the request on to an address that is not allowed.",
    "Ask the operator about PLUGIN_GITHUB_REDIRECT_HOSTS.",
  ),
};

/** The failure with scheme and source, and nothing else of where it came from. Source: wire contract §12. */
function named(error: unknown, source: PluginSource): DomainError {
  const about = { scheme: source.scheme, source: sourceText(source) };
  if (!isDomainError(error)) {
    // Whatever it is (a folder that cannot be read), its text has paths in it.
    return new DomainError("upstream_failed", "The plugin could not be read.", {
      next: "Ask the operator to look at the folder of the plugins.",
      details: about,
    });
  }
  const { code, message, next, details } = error;
  const { retry_after } = details;
  return new DomainError(code, message, {
    ...(next === undefined ? {} : { next }),
    details: { ...about, ...(typeof retry_after === "number" ? { retry_after } : {}) },
  });
}

/** So many at a time, the others in the order in which they came. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** @throws DomainError `upstream_timeout` when it takes too long. */
  async take(signal: AbortSignal): Promise<AsyncDisposable> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    return {
      [Symbol.asyncDispose]: async () => {
        const next = this.#waiting.shift();
        if (next === undefined) this.#free += 1;
        else next();
      },
    };
  }

  async #wait(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(
          new DomainError(
            "upstream_timeout",
            "Other plugins are being fetched, and this took too long.",
            {
              next: "Try again in a moment.",
            },
          ),
        );
      };
      this.#waiting.push(turn);
      signal.addEventListener("abort", leave, { once: true });
      if (signal.aborted) leave();
    });
  }
}
