import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import {
  type ArchiveEntry,
  type CollectedFiles,
  type CollectLimits,
  FileCollector,
  MAX_TEMPLATE_BYTES,
  tooLarge,
} from "./collect-files.ts";

/** Headers and padding come on top of the files. */
const MAX_UNPACKED_BYTES = MAX_TEMPLATE_BYTES + 4 * 1024 * 1024;

const unpack = promisify(gunzip);

/** Reads a `.tar.gz`. @throws DomainError as `FileCollector`; zlib's and tar-stream's own errors. */
export async function readTarGz(buffer: Buffer, limits: CollectLimits): Promise<CollectedFiles> {
  // Whatever its headers say, no more than any honest archive is unpacked.
  const tar = await unpack(buffer, { maxOutputLength: MAX_UNPACKED_BYTES }).catch((error) => {
    throw codeOf(error) === "ERR_BUFFER_TOO_LARGE"
      ? tooLarge("It unpacks to more than 24 MiB.")
      : error;
  });
  const collector = new FileCollector(limits);
  const reader = extract();
  // The loop below throws what goes wrong; without a listener it would end the process as well.
  reader.on("error", () => undefined);
  reader.end(tar);
  for await (const entry of reader) {
    const path = collector.announce(entryOf(entry.header));
    const chunks: Buffer[] = [];
    for await (const chunk of entry) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    if (path !== null) collector.take(path, Buffer.concat(chunks));
  }
  return collector.finish();
}

/** What a header says, for `FileCollector`. */
export function entryOf({ name: path, type, size }: Header): ArchiveEntry {
  if (type === "directory") return { path, kind: "folder", size: 0 };
  const isFile = type === "file" || type === "contiguous-file";
  return { path, kind: isFile ? "file" : "other", size };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
