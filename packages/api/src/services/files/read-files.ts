import type { FileEntry } from "@molecule/contracts/panel";
import { fileSha256, listManagedFiles, readManagedFile } from "@molecule/db/files/managed-files";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { isPlatformFile, parseRelativePath } from "@molecule/domain/paths";
import type { FileRoot } from "@molecule/domain/sets";
import { isRenderedFile, renderConfigs } from "@molecule/templates/render-config";
import type { Deps } from "../../deps.ts";
import { parseManagedPath } from "../config/plan-files.ts";
import { requireLiveFiles } from "./require-live-files.ts";

/** A file or folder of a workspace. */
export interface FileTarget {
  readonly workspaceId: string;
  readonly root: FileRoot;
  /** Relative to the root; empty for the root itself, where that is allowed. */
  readonly path: string;
}

/** What a folder holds; `isTruncated` when there is more. */
export interface Listing {
  readonly entries: readonly FileEntry[];
  readonly truncated: boolean;
}

/** A file's bytes as text; those of a binary file are shown with replacement characters. */
export interface ReadFile {
  readonly root: FileRoot;
  readonly path: string;
  readonly content: string;
  readonly sha256: string;
  readonly size: number;
  readonly isBinary: boolean;
}

/** Names that no listing shows. Source: wire contract §9.4. */
const HIDDEN = new Set([".git", "__pycache__", "node_modules", ".DS_Store"]);

/**
 * The folder's entries, paths relative to it. `/configs` comes from the platform, also while nothing
 * runs; the other roots from the instance. @throws DomainError `not_found`, `removed`, `bad_request`,
 * `workspace_restarting`, `workspace_unreachable`.
 */
export async function listFiles(
  deps: Deps,
  target: FileTarget & { readonly depth: number },
): Promise<Listing> {
  const folder = target.path === "" || target.path === "." ? "" : parseRelativePath(target.path);
  const { workspaceId, root, depth } = target;
  if (root === "/configs") return await listConfigs(deps, { workspaceId, folder, depth });
  await requireLiveFiles(deps, workspaceId);
  const listed = await deps.worker.call("files.list", { workspaceId, root, path: folder, depth });
  const entries = listed.entries.filter(
    (entry) => !entry.path.split("/").some((part) => HIDDEN.has(part)),
  );
  return { entries, truncated: listed.truncated };
}

async function listConfigs(
  deps: Deps,
  target: { readonly workspaceId: string; readonly folder: string; readonly depth: number },
): Promise<Listing> {
  const { workspaceId, folder, depth } = target;
  const rendered = renderConfigs(await readConfig(deps.db, workspaceId));
  const stored = await listManagedFiles(deps.db, workspaceId);
  const files = [
    ...[...rendered].map(([path, content]) => ({ path, size: content.length })),
    ...stored.filter(({ path }) => !isRenderedFile(path) && !isPlatformFile("/configs", path)),
  ];
  return { entries: entriesUnder(files, folder, depth), truncated: false };
}

/** Files and the folders they imply, at most `depth` levels below `folder`, by path. */
function entriesUnder(
  files: readonly { readonly path: string; readonly size: number }[],
  folder: string,
  depth: number,
): FileEntry[] {
  const prefix = folder === "" ? "" : `${folder}/`;
  const found = new Map<string, FileEntry>();
  for (const { path, size } of files) {
    if (!path.startsWith(prefix)) continue;
    const parts = path.slice(prefix.length).split("/");
    if (parts.some((part) => HIDDEN.has(part))) continue;
    for (let level = 1; level <= Math.min(depth, parts.length); level += 1) {
      const dir = level < parts.length;
      const shown = parts.slice(0, level).join("/");
      found.set(shown, { path: shown, size: dir ? 0 : size, dir });
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One file. @throws DomainError as {@link listFiles}. */
export async function readFile(deps: Deps, target: FileTarget): Promise<ReadFile> {
  if (target.root === "/configs") return await readConfigFile(deps, target);
  const { workspaceId, root } = target;
  const path = parseRelativePath(target.path);
  await requireLiveFiles(deps, workspaceId);
  const answer = await deps.worker.call("files.read", { workspaceId, root, path });
  return shown({ root, path }, Buffer.from(answer.content, "base64"));
}

async function readConfigFile(deps: Deps, target: FileTarget): Promise<ReadFile> {
  const path = parseManagedPath(target.path);
  const row = await readConfig(deps.db, target.workspaceId);
  const view = renderConfigs(row).get(path);
  if (view !== undefined) return shown({ root: target.root, path }, view);
  const stored = await readManagedFile(deps.db, row.id, path);
  if (stored === null) throw new DomainError("not_found", `There is no file ${path} in /configs.`);
  return shown({ root: target.root, path }, stored.content);
}

function shown(
  file: { readonly root: FileRoot; readonly path: string },
  bytes: Uint8Array,
): ReadFile {
  return {
    ...file,
    content: new TextDecoder().decode(bytes),
    sha256: fileSha256(bytes),
    size: bytes.length,
    isBinary: !isText(bytes),
  };
}

function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
