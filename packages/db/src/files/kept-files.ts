import { KEPT_FILE_DAYS } from "@molecule/domain/kept-files";
import { and, eq, gt, inArray, isNotNull, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { keptFileChunks, keptFiles } from "../schema/kept-files.ts";

/** Size of every chunk but a file's last, in bytes. */
export const KEPT_CHUNK_BYTES = 256 * 1024;
/** What is not whole by then belongs to an upload that broke off with its server, in hours. */
const UNFINISHED_HOURS = 1;

/** A file that is kept whole. */
export interface KeptFile {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly mimeType: string;
  /** In bytes. */
  readonly size: number;
}

/** A file whose bytes are on their way; nobody sees it before {@link finishKeptFiles}. */
export async function beginKeptFile(
  q: Queryable,
  file: Pick<KeptFile, "id" | "workspaceId" | "name" | "mimeType">,
): Promise<void> {
  const until = sql`cp_now() + make_interval(hours => ${UNFINISHED_HOURS})`;
  await ormOf(q)
    .insert(keptFiles)
    .values({ ...file, expiresAt: until });
}

/** Adds bytes: exactly {@link KEPT_CHUNK_BYTES}, or fewer at the end of the file. */
export async function addKeptChunk(
  q: Queryable,
  chunk: { readonly fileId: string; readonly no: number; readonly bytes: Uint8Array },
): Promise<void> {
  await ormOf(q).execute(sql`
    WITH added AS (
      INSERT INTO kept_file_chunks (file_id, no, bytes)
      VALUES (${chunk.fileId}, ${chunk.no}, ${chunk.bytes}) RETURNING length(bytes) AS size)
    UPDATE kept_files SET size = kept_files.size + added.size FROM added
    WHERE id = ${chunk.fileId}`);
}

/** All of an upload's files are there from now on, and stay for a week; in one statement. */
export async function finishKeptFiles(q: Queryable, ids: readonly string[]): Promise<KeptFile[]> {
  if (ids.length === 0) return [];
  return await ormOf(q)
    .update(keptFiles)
    .set({
      keptAt: sql`cp_now()`,
      expiresAt: sql`cp_now() + make_interval(days => ${KEPT_FILE_DAYS})`,
    })
    .where(inArray(keptFiles.id, [...ids]))
    .returning(shown);
}

/** Takes files back that are not wanted any more. */
export async function dropKeptFiles(q: Queryable, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await ormOf(q)
    .delete(keptFiles)
    .where(inArray(keptFiles.id, [...ids]));
}

/** A whole file of this workspace; null when there is none, or its week is over. */
export async function findKeptFile(
  q: Queryable,
  { workspaceId, fileId }: { readonly workspaceId: string; readonly fileId: string },
): Promise<KeptFile | null> {
  const [row] = await ormOf(q)
    .select(shown)
    .from(keptFiles)
    .where(
      and(
        eq(keptFiles.id, fileId),
        eq(keptFiles.workspaceId, workspaceId),
        isNotNull(keptFiles.keptAt),
        gt(keptFiles.expiresAt, sql`cp_now()`),
      ),
    );
  return row ?? null;
}

/** One chunk; null when the file was removed or has no such chunk. */
export async function readKeptChunk(
  q: Queryable,
  fileId: string,
  no: number,
): Promise<Uint8Array | null> {
  const [row] = await ormOf(q)
    .select({ bytes: keptFileChunks.bytes })
    .from(keptFileChunks)
    .where(and(eq(keptFileChunks.fileId, fileId), eq(keptFileChunks.no, no)));
  return row?.bytes ?? null;
}

/** Bytes kept for the workspace, with those on their way. */
export async function countKeptBytes(q: Queryable, workspaceId: string): Promise<number> {
  const [row] = await ormOf(q)
    .select({ bytes: sql<string>`COALESCE(sum(${keptFiles.size}), 0)` })
    .from(keptFiles)
    .where(eq(keptFiles.workspaceId, workspaceId));
  return Number(row?.bytes ?? 0);
}

/** Removes files whose time is over, and what is left of uploads that broke off. Resolves with how many. */
export async function trimKeptFiles(q: Queryable): Promise<number> {
  const rows = await ormOf(q)
    .delete(keptFiles)
    .where(sql`${keptFiles.expiresAt} <= cp_now()`)
    .returning({ id: keptFiles.id });
  return rows.length;
}

const shown = {
  id: keptFiles.id,
  workspaceId: keptFiles.workspaceId,
  name: keptFiles.name,
  mimeType: keptFiles.mimeType,
  size: keptFiles.size,
};
