import { DomainError } from "@molecule/domain/errors";
import { parseRelativePath } from "@molecule/domain/paths";
import type { CollectedFiles, CollectLimits } from "./archive/collect-files.ts";
import { ENV_FILE, readEnvFile } from "./env-file.ts";
import { ORG_FILE, type OrgNode } from "./org-node.ts";
import { type OrgTemplate, orgTemplateOf, readOrgTemplate } from "./org-template.ts";
import { CONFIG_FILE, PROMPT_FILE } from "./render-config.ts";
import { MAX_TEMPLATE_FILES } from "./template.ts";

/** Those of a team's folder; its `.env` files become secrets. */
export const ORG_LIMITS: CollectLimits = {
  marker: ORG_FILE,
  maxFiles: 2000,
  maxEntries: 3000,
  dotFiles: [ENV_FILE],
};

/** A team with the files of its folder. */
export interface OrgBundle {
  readonly org: OrgTemplate;
  /** By path relative to the folder; holds secrets where there are `.env` files: never logged. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What was left out of it, as sentences. */
  readonly notes: readonly string[];
}

/** A team and its files. @throws DomainError `bad_request`. */
export function readOrgBundle({ files, left }: CollectedFiles): OrgBundle {
  const described = files.get(ORG_FILE);
  if (described === undefined) throw new DomainError("bad_request", `${ORG_FILE} is missing.`);
  const notes =
    left.length === 0
      ? []
      : [
          `Not taken, because of the dot before the name: ${left.slice(0, 5).join(", ")}${left.length > 5 ? " and others" : ""}.`,
        ];
  return { org: readOrgTemplate(textOf(ORG_FILE, described)), files, notes };
}

/** A team that was sent without files. @throws DomainError `bad_request`. */
export function bundleWithoutFiles(template: unknown): OrgBundle {
  return { org: orgTemplateOf(template), files: new Map(), notes: [] };
}

/** What the folder of a team has for one agent. */
export interface NodeFiles {
  /** Its `config.yaml`; null: it has none. */
  readonly config: string | null;
  /** Its `system-prompt.md`; null: it has none. */
  readonly prompt: string | null;
  /** Further files for `/configs`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Keys of `config.yaml` whose text is in a file. */
  readonly extra: Readonly<Record<string, string>>;
  /** Secrets of the team's `.env` and of its own, which counts; never logged. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

/**
 * The files of one agent. Everything is read from what was taken in already, so no name leads anywhere
 * else. @throws DomainError `bad_request` for what is not there or cannot be meant.
 */
export function nodeFiles({ files }: OrgBundle, node: OrgNode): NodeFiles {
  const dir = node.filesDir === null ? null : parseRelativePath(node.filesDir.replace(/\/+$/, ""));
  const own = new Map<string, Uint8Array>();
  if (dir !== null) {
    for (const [path, content] of files) {
      if (path.startsWith(`${dir}/`)) own.set(path.slice(dir.length + 1), content);
    }
    if (own.size === 0) {
      throw new DomainError("bad_request", `Its folder “${dir}” is not in what was sent.`);
    }
    if (own.size > MAX_TEMPLATE_FILES) {
      throw new DomainError("bad_request", `Its folder has more than ${MAX_TEMPLATE_FILES} files.`);
    }
  }
  const [config, prompt] = [textIn(own, CONFIG_FILE), textIn(own, PROMPT_FILE)];
  const read = [files.get(ENV_FILE), own.get(ENV_FILE)].flatMap((content) =>
    content === undefined ? [] : [readEnvFile(textOf(ENV_FILE, content))],
  );
  const badLines = read.flatMap((one) => one.badLines);
  const taken = [CONFIG_FILE, PROMPT_FILE];
  return {
    config,
    prompt,
    files: new Map([...own].filter(([path]) => !taken.includes(path) && !isEnvFile(path))),
    extra: Object.fromEntries(
      Object.entries(node.promptFiles).map(([key, file]) => [key, promptIn(own, files, file)]),
    ),
    secrets: new Map(read.flatMap(({ values }) => [...values])),
    notes:
      badLines.length === 0 ? [] : [`Lines ${badLines.join(", ")} of its ${ENV_FILE} set nothing.`],
  };
}

/** Whether a path is a file of secrets: it never becomes a file of an agent. */
function isEnvFile(path: string): boolean {
  return path === ENV_FILE || path.endsWith(`/${ENV_FILE}`);
}

/** In the agent's folder, else in the team's. */
function promptIn(
  own: ReadonlyMap<string, Uint8Array>,
  all: ReadonlyMap<string, Uint8Array>,
  file: string,
): string {
  const path = parseRelativePath(file);
  const content = isEnvFile(path) ? undefined : (own.get(path) ?? all.get(path));
  if (content !== undefined) return textOf(path, content);
  throw new DomainError("bad_request", `Its file “${path}” is not in what was sent.`);
}

function textIn(files: ReadonlyMap<string, Uint8Array>, path: string): string | null {
  const content = files.get(path);
  return content === undefined ? null : textOf(path, content);
}

function textOf(path: string, content: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (cause) {
    throw new DomainError("bad_request", `${path} is not UTF-8 text.`, { cause });
  }
}
