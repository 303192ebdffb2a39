import { fileSha256 } from "@molecule/db/files/managed-files";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { DomainError } from "@molecule/domain/errors";
import { parseRelativePath } from "@molecule/domain/paths";
import type { Actor } from "@molecule/domain/sets";
import { CONFIG_FILE, isRenderedFile } from "@molecule/templates/render-config";
import type { Deps } from "../../deps.ts";
import { applyChanges } from "../config/apply-changes.ts";
import { isOfPlugin } from "../plugins/plan-plugins.ts";
import { type FileTarget, listFiles, readFile } from "./read-files.ts";
import { requireLiveFiles } from "./require-live-files.ts";

/** A file to write. */
export interface FileWriteInput extends FileTarget {
  readonly content: string;
  /** Hash the edit was based on; null for a new file; absent when it was based on none. */
  readonly baseSha256?: string | null | undefined;
}

/** What a write left behind. */
export interface FileWritten {
  readonly sha256: string;
  readonly willRestart: boolean;
}

/** Most files of one replacement. Source: wire contract §9.4. */
const MAX_REPLACED_FILES = 200;

/**
 * Writes a file. Under `/configs` it is stored whether the agent runs or not, and one restart follows
 * unless it was identical; elsewhere it goes to the instance and nothing restarts.
 * @throws DomainError `version_conflict` with both contents, and as `listFiles`.
 */
export async function writeFile(
  deps: Deps,
  actor: Actor,
  input: FileWriteInput,
): Promise<FileWritten> {
  if (input.root === "/configs") return await writeConfigFile(deps, actor, input);
  const { workspaceId, root, content } = input;
  const path = parseRelativePath(input.path);
  await requireLiveFiles(deps, workspaceId);
  if (input.baseSha256 !== undefined) await requireLiveBase(deps, { ...input, path });
  const bytes = new TextEncoder().encode(content);
  const base64 = Buffer.from(bytes).toString("base64");
  await deps.worker.call("files.write", { workspaceId, root, path, content: base64 });
  return { sha256: fileSha256(bytes), willRestart: false };
}

async function writeConfigFile(
  deps: Deps,
  actor: Actor,
  input: FileWriteInput,
): Promise<FileWritten> {
  const { workspaceId, path, content, baseSha256 } = input;
  const receipt = await deps.db.transaction((tx) =>
    applyChanges(deps, tx, {
      workspaceId,
      actor,
      isBatch: false,
      files: [{ path, content, baseSha256 }],
    }),
  );
  // A view of the document is rendered anew, so what was written is not always what is read.
  const { sha256 } = await readFile(deps, input);
  return { sha256, willRestart: receipt.willRestart };
}

async function requireLiveBase(deps: Deps, input: FileWriteInput): Promise<void> {
  const current = await readFile(deps, input).catch((error: unknown) => {
    if (error instanceof DomainError && error.code === "not_found") return null;
    throw error;
  });
  const isSame = current?.content === input.content;
  if (isSame || (current?.sha256 ?? null) === input.baseSha256) return;
  throw new DomainError("version_conflict", `${input.path} was changed meanwhile.`, {
    next: "Look at both versions and save the one you want.",
    details: {
      path: input.path,
      current_sha256: current?.sha256 ?? null,
      current: current?.content.slice(0, 65_536) ?? null,
      yours: input.content.slice(0, 65_536),
    },
  });
}

/** Deletes a file; resolves with whether a restart follows. @throws DomainError as `listFiles`. */
export async function removeFile(
  deps: Deps,
  actor: Actor,
  target: FileTarget,
): Promise<{ readonly willRestart: boolean }> {
  const { workspaceId, root } = target;
  if (root === "/configs") {
    const files = [{ path: target.path, content: null }];
    return await deps.db.transaction((tx) =>
      applyChanges(deps, tx, { workspaceId, actor, isBatch: false, files }),
    );
  }
  const path = parseRelativePath(target.path);
  await requireLiveFiles(deps, workspaceId);
  await deps.worker.call("files.delete", { workspaceId, root, path });
  return { willRestart: false };
}

/**
 * Makes `/configs` hold exactly these files, in one generation. The two views of the document stay when
 * they are not among them. Resolves with the number of files given.
 * @throws DomainError `bad_request` (too many), and as `applyChanges`.
 */
export async function replaceFiles(
  deps: Deps,
  actor: Actor,
  input: { readonly workspaceId: string; readonly files: Readonly<Record<string, string>> },
): Promise<number> {
  const wanted = Object.entries(input.files);
  if (wanted.length > MAX_REPLACED_FILES) {
    throw new DomainError("bad_request", `At most ${MAX_REPLACED_FILES} files at once.`);
  }
  const { workspaceId } = input;
  const present = await listFiles(deps, { workspaceId, root: "/configs", path: "", depth: 64 });
  // Plugins come and go as a whole, by routes of their own.
  const { config } = await readConfig(deps.db, workspaceId);
  const paths = new Set(wanted.map(([path]) => parseRelativePath(path)));
  const gone = present.entries.filter(
    (entry) =>
      !entry.dir &&
      !paths.has(entry.path) &&
      !isRenderedFile(entry.path) &&
      !isOfPlugin(config, entry.path),
  );
  const files = [
    ...gone.map(({ path }) => ({ path, content: null })),
    // The document's file comes first, so that a separate prompt file wins over what it says.
    ...wanted.filter(([path]) => path === CONFIG_FILE).map(asEdit),
    ...wanted.filter(([path]) => path !== CONFIG_FILE).map(asEdit),
  ];
  await deps.db.transaction((tx) =>
    applyChanges(deps, tx, { workspaceId, actor, isBatch: false, files }),
  );
  return wanted.length;
}

function asEdit([path, content]: [string, string]) {
  return { path, content };
}
