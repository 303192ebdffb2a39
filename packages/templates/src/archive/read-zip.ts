import { DomainError } from "@molecule/domain/errors";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";
import {
  type ArchiveEntry,
  type CollectedFiles,
  type CollectLimits,
  FileCollector,
} from "./collect-files.ts";

/** File types in the upper half of the attributes that Unix archivers write. */
const TYPE_MASK = 0o170000;
const TYPE_FILE = 0o100000;
const TYPE_FOLDER = 0o040000;
const IS_ENCRYPTED = 0x1;

/** Reads a `.zip`. @throws DomainError as `FileCollector`; yauzl's own errors. */
export async function readZip(buffer: Buffer, limits: CollectLimits): Promise<CollectedFiles> {
  const collector = new FileCollector(limits);
  const zip = await open(buffer);
  await new Promise<void>((resolve, reject) => {
    zip.on("error", reject);
    zip.on("end", resolve);
    zip.on("entry", (entry: Entry) => {
      takeEntry(zip, entry, collector).then(() => zip.readEntry(), reject);
    });
    zip.readEntry();
  });
  return collector.finish();
}

function open(buffer: Buffer): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    // The library holds every entry to the size it announces, and refuses names that lead out by itself.
    const options = { lazyEntries: true, validateEntrySizes: true };
    fromBuffer(buffer, options, (error, zip) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(zip);
    });
  });
}

async function takeEntry(zip: ZipFile, entry: Entry, collector: FileCollector): Promise<void> {
  const path = collector.announce(entryOf(entry));
  if (path === null) return;
  if ((entry.generalPurposeBitFlag & IS_ENCRYPTED) !== 0) {
    throw new DomainError("bad_request", "The archive has a password.");
  }
  const chunks: Buffer[] = [];
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(opened);
    });
  });
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  collector.take(path, Buffer.concat(chunks));
}

function entryOf(entry: Entry): ArchiveEntry {
  const { fileName: path, uncompressedSize: size } = entry;
  const type = (entry.externalFileAttributes >>> 16) & TYPE_MASK;
  if (path.endsWith("/") || type === TYPE_FOLDER) return { path, kind: "folder", size: 0 };
  // Archivers of other systems write no type at all.
  return { path, kind: type === 0 || type === TYPE_FILE ? "file" : "other", size };
}
