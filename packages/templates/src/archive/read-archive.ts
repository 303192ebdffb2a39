import { DomainError, isDomainError } from "@molecule/domain/errors";
import { type CollectedFiles, type CollectLimits, TEMPLATE_LIMITS } from "./collect-files.ts";
import { readTarGz } from "./read-tar.ts";
import { readZip } from "./read-zip.ts";

/** Largest archive as it is sent, in bytes. */
export const MAX_ARCHIVE_BYTES = 10 * 1024 * 1024;

/**
 * The files of the archive of a template or team, a `.tar.gz` or a `.zip` by its first bytes. Everything stays in
 * memory, within the bounds of `FileCollector`; nothing is unpacked to a disk.
 * @throws DomainError `bad_request` (no such archive, broken off, links, paths that lead out),
 * `payload_too_large`.
 */
export async function readArchive(
  bytes: Uint8Array,
  limits: CollectLimits = TEMPLATE_LIMITS,
): Promise<CollectedFiles> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readerOf(buffer);
  if (read === null) {
    throw new DomainError("bad_request", "This is neither a .tar.gz nor a .zip archive.", {
      next: "Pack the folder as one of the two.",
    });
  }
  try {
    return await read(buffer, limits);
  } catch (cause) {
    if (isDomainError(cause)) throw cause;
    throw new DomainError(
      "bad_request",
      "The archive is damaged, broken off, or names files outside of it.",
      {
        next: "Pack the folder again and send the whole of it.",
        cause,
      },
    );
  }
}

function readerOf(
  buffer: Buffer,
): ((buffer: Buffer, limits: CollectLimits) => Promise<CollectedFiles>) | null {
  if (buffer[0] === 0x1f && buffer[1] === 0x8b) return readTarGz;
  // The first entry of a zip archive, or the end of one without entries.
  const magic = buffer.subarray(0, 4).toString("latin1");
  return magic === "PK\u0003\u0004" || magic === "PK\u0005\u0006" ? readZip : null;
}
