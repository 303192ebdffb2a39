import { createHash } from "node:crypto";
import { DomainError } from "@molecule/domain/errors";
import { MAX_MANAGED_FILE_BYTES } from "@molecule/domain/paths";
import { and, asc, count, eq, isNull, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { managedFiles } from "../schema/content.ts";

/** Managed files a workspace may have. */
export const MAX_MANAGED_FILES = 1000;

/** A managed file without its content. */
export interface ManagedEntry {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** A managed file. */
export interface ManagedFile extends ManagedEntry {
  readonly content: Uint8Array;
}

/** Hash of a file's bytes as rows and clients have it: lower-case hex SHA-256. */
export function fileSha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The workspace's managed files by path; deleted ones are not in it. */
export async function listManagedFiles(q: Queryable, workspaceId: string): Promise<ManagedEntry[]> {
  return await ormOf(q)
    .select({ path: managedFiles.path, size: managedFiles.size, sha256: managedFiles.sha256 })
    .from(managedFiles)
    .where(isPresent(workspaceId))
    .orderBy(asc(managedFiles.path));
}

/** One managed file; null when there is none. */
export async function readManagedFile(
  q: Queryable,
  workspaceId: string,
  path: string,
): Promise<ManagedFile | null> {
  const [row] = await ormOf(q)
    .select({
      path: managedFiles.path,
      size: managedFiles.size,
      sha256: managedFiles.sha256,
      content: managedFiles.content,
    })
    .from(managedFiles)
    .where(and(isPresent(workspaceId), eq(managedFiles.path, path)));
  return row ?? null;
}

/** A file to store, as part of a write that has its generation. */
export interface FileWrite {
  readonly workspaceId: string;
  readonly path: string;
  /** Null deletes. */
  readonly content: Uint8Array | null;
  readonly generation: number;
  readonly actorName: string;
}

/**
 * Stores or deletes a file. The row of a deleted file stays until the projection has removed the
 * instance's copy. @throws DomainError `payload_too_large`, `bad_request` (too many files).
 */
export async function writeManagedFile(tx: Transaction, write: FileWrite): Promise<void> {
  const { workspaceId, path, content } = write;
  const orm = ormOf(tx);
  const by = { gen: write.generation, updatedBy: write.actorName, updatedAt: sql`cp_now()` };
  if (content === null) {
    await orm
      .update(managedFiles)
      .set({ ...by, deletedAt: sql`cp_now()` })
      .where(and(isPresent(workspaceId), eq(managedFiles.path, path)));
    return;
  }
  if (content.length > MAX_MANAGED_FILE_BYTES) {
    throw new DomainError("payload_too_large", `${path} is larger than 1 MiB.`, {
      details: { max_bytes: MAX_MANAGED_FILE_BYTES },
    });
  }
  const stored = { ...by, content, sha256: fileSha256(content), size: content.length };
  await orm
    .insert(managedFiles)
    .values({ workspaceId, path, ...stored })
    .onConflictDoUpdate({
      target: [managedFiles.workspaceId, managedFiles.path],
      set: { ...stored, deletedAt: null },
    });
}

/** @throws DomainError `bad_request` when the workspace has more managed files than allowed. */
export async function checkFileCount(tx: Transaction, workspaceId: string): Promise<void> {
  const [row] = await ormOf(tx)
    .select({ files: count() })
    .from(managedFiles)
    .where(isPresent(workspaceId));
  if ((row?.files ?? 0) <= MAX_MANAGED_FILES) return;
  throw new DomainError("bad_request", `/configs holds ${MAX_MANAGED_FILES} files at most.`, {
    next: "Keep large sets of files under /workspace.",
  });
}

function isPresent(workspaceId: string) {
  return and(eq(managedFiles.workspaceId, workspaceId), isNull(managedFiles.deletedAt));
}
