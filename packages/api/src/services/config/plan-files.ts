import type { Transaction } from "@molecule/db/database";
import { fileSha256, listManagedFiles, readManagedFile } from "@molecule/db/files/managed-files";
import type { ConfigRow } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { isPlatformFile, MAX_MANAGED_FILE_BYTES, parseRelativePath } from "@molecule/domain/paths";
import { parseConfigYaml } from "@molecule/templates/config-yaml";
import {
  CONFIG_FILE,
  isRenderedFile,
  PROMPT_FILE,
  renderConfigs,
  withoutInstalled,
} from "@molecule/templates/render-config";
import { refusePluginFile } from "../plugins/plan-plugins.ts";
import type { DocumentChange } from "./edit-document.ts";

/** One file of an edit under `/configs`. */
export interface FileEdit {
  readonly path: string;
  /** Null deletes. */
  readonly content: string | null;
  /** Hash the edit was based on; null for a file that was not there; absent when on none. */
  readonly baseSha256?: string | null | undefined;
}

/** What an edit of files comes to. */
export interface FilePlan {
  /** Files that differ from what is stored. */
  readonly writes: readonly { readonly path: string; readonly content: Uint8Array | null }[];
  /** Edits of the two views of the document. */
  readonly document: readonly DocumentChange[];
}

/** Content shown in a conflict is cut to this many characters. */
const MAX_SHOWN_CHARS = 65_536;
/** Longest `system-prompt.md`, in characters: that of the document's instructions. */
const MAX_INSTRUCTIONS_CHARS = 200_000;

/**
 * Compares an edit with what is stored. Identical files are no writes, `config.yaml` and
 * `system-prompt.md` become edits of the document they show.
 * @throws DomainError `bad_request`, `version_conflict` (details: `path`, `current_sha256`, `current`,
 * `yours`), `payload_too_large`, `not_found` (deleting a file that is not there).
 */
export async function planFiles(
  tx: Transaction,
  before: ConfigRow,
  edits: readonly FileEdit[],
): Promise<FilePlan> {
  const writes = new Map<string, Uint8Array | null>();
  const document: DocumentChange[] = [];
  for (const edit of edits) {
    const path = parseManagedPath(edit.path);
    if (writes.has(path)) throw new DomainError("bad_request", `${path} is named twice.`);
    if (isRenderedFile(path)) document.push(...planView(before, { ...edit, path }));
    else await planFile(tx, before, { edit: { ...edit, path }, writes });
  }
  const all = [...writes].map(([path, content]) => ({ path, content }));
  await refuseClashes(tx, before.id, writes);
  return { writes: all, document };
}

/**
 * A name is a file or a folder: of two rows that make it both one would be lost where the agent runs.
 * @throws DomainError `bad_request`.
 */
async function refuseClashes(
  tx: Transaction,
  workspaceId: string,
  writes: ReadonlyMap<string, Uint8Array | null>,
): Promise<void> {
  const added = [...writes].flatMap(([path, content]) => (content === null ? [] : [path]));
  if (added.length === 0) return;
  const stored = (await listManagedFiles(tx, workspaceId)).map(({ path }) => path);
  const kept = stored.filter((path) => writes.get(path) !== null);
  const files = new Set([...kept, ...added, CONFIG_FILE, PROMPT_FILE]);
  const folders = new Set([...kept, ...added].flatMap(foldersOf));
  const isAdded = (path: string) => added.some((one) => one === path || one.startsWith(`${path}/`));
  const clash = [...files].find((path) => folders.has(path) && isAdded(path));
  if (clash === undefined) return;
  throw new DomainError("bad_request", `${clash} is a file and a folder at once.`, {
    next: "Choose another name, or delete the one that is there first.",
    details: { path: clash },
  });
}

function foldersOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"));
}

/** The path in normal form. @throws DomainError `bad_request`, also for files of the platform. */
export function parseManagedPath(text: string): string {
  const path = parseRelativePath(text);
  if (isPlatformFile("/configs", path)) {
    throw new DomainError(
      "bad_request",
      "Names that begin with a dot belong to the platform here.",
      {
        next: "Choose a name without a dot in front.",
      },
    );
  }
  return path;
}

async function planFile(
  tx: Transaction,
  before: ConfigRow,
  plan: { readonly edit: FileEdit; readonly writes: Map<string, Uint8Array | null> },
): Promise<void> {
  const { edit, writes } = plan;
  const current = await readManagedFile(tx, before.id, edit.path);
  if (edit.content === null) {
    if (current === null) {
      throw new DomainError("not_found", `There is no file ${edit.path} in /configs.`);
    }
    refusePluginFile(before.config, edit.path);
    requireBase(edit, current);
    writes.set(edit.path, null);
    return;
  }
  const content = new TextEncoder().encode(edit.content);
  if (content.length > MAX_MANAGED_FILE_BYTES) throw tooLarge(edit.path, MAX_MANAGED_FILE_BYTES);
  if (current !== null && current.sha256 === fileSha256(content)) return;
  refusePluginFile(before.config, edit.path);
  requireBase(edit, current);
  writes.set(edit.path, content);
}

function planView(before: ConfigRow, edit: FileEdit): DocumentChange[] {
  if (edit.content === null) {
    throw new DomainError("bad_request", `${edit.path} shows the configuration and always exists.`);
  }
  const current = renderConfigs(before).get(edit.path) ?? new Uint8Array();
  const wanted = new TextEncoder().encode(edit.content);
  if (fileSha256(current) === fileSha256(wanted)) return [];
  requireBase(edit, { sha256: fileSha256(current), content: current });
  if (edit.path !== CONFIG_FILE) {
    if (edit.content.length > MAX_INSTRUCTIONS_CHARS) {
      throw tooLarge(edit.path, MAX_INSTRUCTIONS_CHARS);
    }
    return [{ instructions: edit.content }];
  }
  const parsed = parseConfigYaml(edit.content);
  if (parsed.runtime !== undefined && parsed.runtime !== before.runtime) {
    throw new DomainError("bad_request", "The runtime is not changed by editing config.yaml.", {
      next: "Create a new workspace with the other runtime, or change it in the settings.",
    });
  }
  const { name, role, tier } = parsed;
  const extra = withoutInstalled(parsed.config.extra, before.config);
  return [{ ...parsed.config, extra, name, role: role ?? null, tier }];
}

function requireBase(
  edit: FileEdit,
  current: { readonly sha256: string; readonly content: Uint8Array } | null,
): void {
  if (edit.baseSha256 === undefined || edit.baseSha256 === (current?.sha256 ?? null)) return;
  throw new DomainError(
    "version_conflict",
    `${edit.path} was changed by somebody else meanwhile.`,
    {
      next: "Look at both versions and save the one you want.",
      details: {
        path: edit.path,
        current_sha256: current?.sha256 ?? null,
        current: current === null ? null : shown(new TextDecoder().decode(current.content)),
        yours: edit.content === null ? null : shown(edit.content),
      },
    },
  );
}

function shown(text: string): string {
  return text.slice(0, MAX_SHOWN_CHARS);
}

function tooLarge(path: string, maxBytes: number): DomainError {
  return new DomainError("payload_too_large", `${path} is too large.`, {
    details: { max_bytes: maxBytes },
  });
}
