import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";

/** An entry of an archive that a test makes, honest or not. */
export interface MadeEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** Of a tar entry; `file` when absent. */
  readonly type?: Header["type"];
  /** Unix mode with its file type, in a zip entry; absent: none, as other systems write it. */
  readonly mode?: number;
  /** Size that a zip entry announces; absent: the true one. */
  readonly announced?: number;
  readonly isEncrypted?: boolean;
}

/** A `.tar.gz` of these entries. */
export async function makeTarGz(entries: readonly MadeEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content = "", type = "file" } of entries) {
    const linkname = type === "symlink" || type === "link" ? "/etc/passwd" : undefined;
    const isFile = type === "file";
    const header = { name, type, ...(linkname === undefined ? {} : { linkname }) };
    if (isFile) archive.entry(header, Buffer.from(content));
    else archive.entry(header);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

/** A `.zip` of these entries, written here so that it can lie. */
export function makeZip(entries: readonly MadeEntry[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const content = Buffer.from(entry.content ?? "");
    const packed = deflateRawSync(content);
    const size = entry.announced ?? content.length;
    // Flags (bit 0: password, bit 11: UTF-8), deflate, time and date, then the sums.
    const shared = Buffer.alloc(22);
    shared.writeUInt16LE((entry.isEncrypted === true ? 1 : 0) | 0x800, 0);
    shared.writeUInt16LE(8, 2);
    shared.writeUInt32LE(crc32(content), 8);
    shared.writeUInt32LE(packed.length, 12);
    shared.writeUInt32LE(size, 16);
    shared.writeUInt16LE(name.length, 20);
    const local = Buffer.concat([head(0x04034b50, 20), shared, Buffer.alloc(2), name, packed]);
    const rest = Buffer.alloc(16);
    rest.writeUInt32LE(((entry.mode ?? 0) << 16) >>> 0, 8);
    rest.writeUInt32LE(offset, 12);
    central.push(Buffer.concat([head(0x02014b50, 0x031e, 20), shared, rest, name]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

function head(signature: number, ...versions: number[]): Buffer {
  const buffer = Buffer.alloc(4 + versions.length * 2);
  buffer.writeUInt32LE(signature, 0);
  for (const [index, version] of versions.entries()) buffer.writeUInt16LE(version, 4 + index * 2);
  return buffer;
}
