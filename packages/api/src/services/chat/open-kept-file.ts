import { findKeptFile, KEPT_CHUNK_BYTES, readKeptChunk } from "@molecule/db/files/kept-files";
import { DomainError } from "@molecule/domain/errors";
import type { KeptFileRef } from "@molecule/domain/kept-files";
import type { Deps } from "../../deps.ts";
import { type FilePart, type ServedFile, sliceOf, streamOf } from "./served-file.ts";

type DbDeps = Pick<Deps, "db">;

/**
 * A file that is kept for the workspace, read from the database as it is taken.
 * @throws DomainError `not_found`. SPEC: KF3.
 */
export async function openKeptFile(deps: DbDeps, ref: KeptFileRef): Promise<ServedFile> {
  const file = await findKeptFile(deps.db, ref);
  if (file === null) {
    throw new DomainError("not_found", "There is no such file, or it is no longer kept.", {
      next: "Files are kept for a week. Ask for it again.",
    });
  }
  const { id, name, mimeType, size } = file;
  return {
    name,
    contentType: mimeType,
    size,
    open: (part) => streamOf(bytesOf(deps, { id, size }, part)),
    discard: () => undefined,
  };
}

async function* bytesOf(
  deps: DbDeps,
  file: { readonly id: string; readonly size: number },
  wanted: FilePart | null,
): AsyncGenerator<Uint8Array> {
  const { first, last } = wanted ?? { first: 0, last: file.size - 1 };
  const firstNo = Math.floor(first / KEPT_CHUNK_BYTES);
  const begin = firstNo * KEPT_CHUNK_BYTES;
  yield* sliceOf(chunksFrom(deps, file, firstNo), { first: first - begin, last: last - begin });
}

async function* chunksFrom(
  deps: DbDeps,
  file: { readonly id: string; readonly size: number },
  firstNo: number,
): AsyncGenerator<Uint8Array> {
  const count = Math.ceil(file.size / KEPT_CHUNK_BYTES);
  for (let no = firstNo; no < count; no += 1) {
    const chunk = await readKeptChunk(deps.db, file.id, no);
    // Whoever reads sees that the answer broke off, and not a shorter file.
    if (chunk === null) throw new DomainError("not_found", "The file was removed meanwhile.");
    yield chunk;
  }
}
