/** The engine's frame header: kind, three zero bytes, length as 32 bits big-endian. */
const HEADER_BYTES = 8;
const STDERR = 2;

/** What a program without a terminal wrote, by stream. */
export interface Output {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Both, in the order the engine saw them. */
  readonly merged: Buffer;
}

/** The parts of the engine's multiplexed stream; an incomplete last frame keeps what it has. */
export function splitOutput(raw: Buffer): Output {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const merged: Buffer[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= raw.length) {
    const length = raw.readUInt32BE(at + 4);
    const body = raw.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    (raw[at] === STDERR ? stderr : stdout).push(body);
    merged.push(body);
    at += HEADER_BYTES + length;
  }
  return {
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr),
    merged: Buffer.concat(merged),
  };
}

/** Everything the stream says until its end. @throws Error beyond `maxBytes`. */
export async function readAll(stream: NodeJS.ReadableStream, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes of output`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}
