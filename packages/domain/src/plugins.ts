import { MAX_PATH_BYTES } from "./paths.ts";

/** Where plugins come from, in the order of the alphabet. Source: wire contract §12. */
export const PLUGIN_SCHEMES = ["github", "local"] as const;
export type PluginScheme = (typeof PLUGIN_SCHEMES)[number];

/** Folder of `/configs` that holds one folder per plugin. Source: wire contract §12. */
export const PLUGINS_FOLDER = "plugins";
/** Longest source that is read, in characters. */
export const MAX_SOURCE_CHARS = 400;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const OWNER = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/;
const REPO = /^[A-Za-z0-9._-]{1,100}$/;
const COMMIT = /^[0-9a-f]{40}$/;
/** What git takes as the name of a tag, as far as it is safe in a path. */
const REF = /^[A-Za-z0-9](?:[A-Za-z0-9._+/-]{0,198}[A-Za-z0-9._+-])?$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** One place a plugin can be taken from. */
export type PluginSource =
  | { readonly scheme: "local"; readonly name: string }
  | {
      readonly scheme: "github";
      readonly owner: string;
      readonly repo: string;
      /** Null: whatever the repository's default branch is at. */
      readonly ref: string | null;
    };

/** Why a text is no source. */
export type SourceRefusal = "empty" | "too_long" | "unknown_scheme" | "malformed";

/** A name that can be a plugin's and a folder's at once. */
export function isPluginName(text: string): boolean {
  return NAME.test(text) && !text.includes("..") && text.length < MAX_PATH_BYTES;
}

/** A SHA-256 in lower-case hexadecimal. */
export function isSha256(text: string): boolean {
  return SHA256.test(text);
}

/** The source that a text names; a bare name is `local://name`. SPEC: PL1. */
export function parsePluginSource(
  text: string,
): { readonly source: PluginSource } | { readonly refusal: SourceRefusal } {
  const trimmed = text.trim();
  if (trimmed === "") return { refusal: "empty" };
  if (trimmed.length > MAX_SOURCE_CHARS) return { refusal: "too_long" };
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(trimmed);
  const scheme = parts === null ? "local" : (parts[1] ?? "").toLowerCase();
  const rest = parts === null ? trimmed : (parts[2] ?? "");
  if (scheme === "local") {
    return isPluginName(rest) ? { source: { scheme, name: rest } } : { refusal: "malformed" };
  }
  return scheme === "github" ? parseGithub(rest) : { refusal: "unknown_scheme" };
}

function parseGithub(
  rest: string,
): { readonly source: PluginSource } | { readonly refusal: SourceRefusal } {
  const [place = "", ...refs] = rest.split("#");
  const [owner = "", repo = "", ...more] = place.split("/");
  const ref = refs.length === 0 ? null : refs.join("#");
  const isPlace = more.length === 0 && OWNER.test(owner) && REPO.test(repo) && !/^\.+$/.test(repo);
  const isRef = ref === null || isGitRef(ref);
  return isPlace && isRef
    ? { source: { scheme: "github", owner, repo, ref } }
    : { refusal: "malformed" };
}

function isGitRef(ref: string): boolean {
  return REF.test(ref) && !ref.includes("..") && !ref.includes("//") && !ref.endsWith(".lock");
}

/** The source as it is written down and shown. */
export function sourceText(source: PluginSource): string {
  if (source.scheme === "local") return `local://${source.name}`;
  const ref = source.ref === null ? "" : `#${source.ref}`;
  return `github://${source.owner}/${source.repo}${ref}`;
}

/** The reference names one commit for ever: 40 hexadecimal digits. */
export function isCommit(ref: string): boolean {
  return COMMIT.test(ref);
}

/**
 * The references of an archive to ask for, the first that is there counts: a commit, or a tag and nothing
 * else, so that a branch which moves never passes for a pin. What is not pinned is asked for only where
 * that is allowed. SPEC: PL2.
 */
export function archiveRefs(
  ref: string | null,
  { allowsUnpinned }: { readonly allowsUnpinned: boolean },
): readonly string[] {
  if (ref === null) return allowsUnpinned ? ["HEAD"] : [];
  if (isCommit(ref)) return [ref];
  const tag = `refs/tags/${ref}`;
  return allowsUnpinned ? [tag, `refs/heads/${ref}`] : [tag];
}

/**
 * Whether the organisation's list lets a source in; an empty list lets all in. An entry is a source in
 * which `*` stands for any text; one without `#` is for every reference. Case does not count. SPEC: PL3.
 */
export function isAllowedSource(source: PluginSource, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  const text = sourceText(source).toLowerCase();
  const [place = text] = text.split("#");
  return allowed.some((entry) => {
    const pattern = entry.trim().toLowerCase();
    return matches(pattern.includes("#") ? text : place, pattern);
  });
}

/** `*` is any text, without backtracking: each part is looked for behind the one before it. */
function matches(text: string, pattern: string): boolean {
  const parts = pattern.split("*");
  const [first = "", ...rest] = parts;
  if (rest.length === 0) return text === pattern;
  const last = rest.pop() ?? "";
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/**
 * Whether a plugin for these runtimes can be used by this one; none named is all. `-` and `_` are the same.
 * Source: wire contract §12. SPEC: PL4.
 */
export function supportsRuntime(runtimes: readonly string[], runtime: string): boolean {
  return runtimes.length === 0 || runtimes.some((one) => plain(one) === plain(runtime));
}

const plain = (runtime: string) => runtime.trim().toLowerCase().replaceAll(/[-_]/g, "");

/** What a plugin needs where it is not supported: "for claude-code and codex only". */
export function supportSentence(runtimes: readonly string[], runtime: string): string {
  if (supportsRuntime(runtimes, runtime)) return `supported on ${runtime}`;
  const names =
    runtimes.length === 1
      ? runtimes[0]
      : `${runtimes.slice(0, -1).join(", ")} and ${runtimes.at(-1)}`;
  return `for ${names} only, and this agent runs ${runtime}`;
}

/** The plugin whose folder a path of `/configs` is in; null for every other path. */
export function pluginOfPath(path: string): string | null {
  const [folder, name, ...rest] = path.split("/");
  return folder === PLUGINS_FOLDER && name !== undefined && rest.length > 0 ? name : null;
}

/** Files of a plugin that a runtime of another maker looks for, though they begin with a dot. */
const KEPT_DOTS = /^(?:\.claude-plugin\/[^.][^/]*|\.mcp\.json)$/;

/** Whether a file of a plugin is taken: what begins with a dot is not, but for two known names. */
export function isTakenFile(path: string): boolean {
  if (KEPT_DOTS.test(path)) return true;
  return !path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
}
