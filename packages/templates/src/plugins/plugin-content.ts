import { createHash } from "node:crypto";
import {
  type InstalledPlugin,
  type PluginManifest,
  pluginManifest,
} from "@molecule/contracts/plugins";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { parseRelativePath } from "@molecule/domain/paths";
import { isTakenFile, PLUGINS_FOLDER } from "@molecule/domain/plugins";
import { readYamlMapping } from "../read-yaml.ts";

/** The file in which a plugin says what it is. */
export const MANIFEST_FILE = "plugin.yaml";

/** A plugin that was checked, with its files by path below its folder. */
export interface PluginContent {
  readonly plugin: InstalledPlugin;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * The plugin that these files are. Nothing of what they say reaches a refusal but the names of fields.
 * SPEC: PL5, PL6. @throws DomainError `unprocessable`.
 */
export function contentOf(
  { source, isPinned }: Pick<InstalledPlugin, "source" | "isPinned">,
  all: ReadonlyMap<string, Uint8Array>,
): PluginContent {
  const files = new Map([...all].filter(([path]) => isTakenFile(path)));
  const manifest = readManifest(files.get(MANIFEST_FILE) ?? null);
  for (const path of files.keys()) requirePath(`${PLUGINS_FOLDER}/${manifest.name}/${path}`);
  const sizes = [...files.values()].map((content) => content.length);
  return {
    plugin: {
      ...manifest,
      source,
      isPinned,
      sha256: digestOfFiles(files),
      files: files.size,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
    },
    files,
  };
}

/** What `plugin.yaml` says. @throws DomainError `unprocessable` with the line or the field that is wrong. */
export function readManifest(content: Uint8Array | null): PluginManifest {
  if (content === null) {
    throw refused(
      `It has no ${MANIFEST_FILE}.`,
      `Put a ${MANIFEST_FILE} with a name and a version into its folder.`,
    );
  }
  const parsed = pluginManifest.safeParse(mappingOf(content));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const next = `A ${MANIFEST_FILE} has name, version, description, author, tags, skills and runtimes, and nothing else.`;
  if (issue?.code === "unrecognized_keys") {
    const keys = issue.keys
      .filter((key) => /^[a-z][a-z_-]{0,39}$/i.test(key))
      .map((key) => `“${key}”`);
    const which = keys.length === 0 ? "a field" : keys.slice(0, 5).join(", ");
    throw refused(`${MANIFEST_FILE} has ${which}, which a plugin does not have.`, next);
  }
  const field = String(issue?.path[0] ?? "");
  throw refused(
    `In ${MANIFEST_FILE} the field “${field}” is not valid: ${whyOf(field, issue?.message)}.`,
    next,
  );
}

function whyOf(field: string, message: string | undefined): string {
  const isText = ["name", "version", "description", "author"].includes(field);
  if (message === undefined || /expected (?:string|array)|invalid input/i.test(message)) {
    return isText
      ? "it must be text, in quotes if it looks like a number"
      : "it must be a list of words";
  }
  return message;
}

function mappingOf(content: Uint8Array): unknown {
  try {
    return readYamlMapping(
      MANIFEST_FILE,
      new TextDecoder("utf-8", { fatal: true }).decode(content),
    );
  } catch (cause) {
    if (isDomainError(cause)) throw refused(cause.message, cause.next);
    throw refused(`${MANIFEST_FILE} is not text in UTF-8.`, undefined);
  }
}

function requirePath(path: string): void {
  try {
    parseRelativePath(path);
  } catch (cause) {
    if (!isDomainError(cause)) throw cause;
    throw refused(
      "An entry of it has a name that cannot be used here.",
      "Use shorter names without control characters.",
    );
  }
}

function refused(sentence: string, next: string | undefined): DomainError {
  return new DomainError("unprocessable", sentence, next === undefined ? {} : { next });
}

/**
 * SHA-256 of the list of a plugin's files as `sha256sum` prints it, in the order of `LC_ALL=C sort`, so
 * that anybody can reckon it: the bytes of an archive may differ while its content does not.
 */
function digestOfFiles(files: ReadonlyMap<string, Uint8Array>): string {
  const paths = [...files.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const list = createHash("sha256");
  for (const path of paths) {
    const content = createHash("sha256")
      .update(files.get(path) ?? new Uint8Array())
      .digest("hex");
    list.update(`${content}  ${path}\n`);
  }
  return list.digest("hex");
}
