/** A regular file of an archive. */
export interface TarFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly content: Uint8Array;
}

const BLOCK = 512;
/** Longest name of the plain form, in bytes; a longer one comes before the file in a record of its own. */
const MAX_NAME_BYTES = 100;
const REGULAR = "0";
const RECORD = "x";

/**
 * The files as a tar, one after the other as they come. Owner 0, mode 0644, time 0, so that the same files
 * are the same bytes. Source: POSIX.1-2017, pax.
 */
export async function* tarOf(files: AsyncIterable<TarFile>): AsyncGenerator<Uint8Array> {
  for await (const { path, content } of files) {
    const name = Buffer.from(path);
    if (name.length > MAX_NAME_BYTES) yield* entry("record", RECORD, paxRecord("path", path));
    yield* entry(name.subarray(0, MAX_NAME_BYTES), REGULAR, content);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function* entry(name: string | Uint8Array, type: string, content: Uint8Array) {
  yield headerOf(Buffer.from(name), type, content.length);
  yield content;
  const rest = content.length % BLOCK;
  if (rest > 0) yield Buffer.alloc(BLOCK - rest);
}

function headerOf(name: Buffer, type: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  name.copy(header, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write(`${"0".repeat(11)}\0`, 136);
  header.write(" ".repeat(8), 148);
  header.write(type, 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** "<length of the whole> <key>=<value>\n"; the length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
