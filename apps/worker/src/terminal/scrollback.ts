const FIRST_BYTES = 65_536;

/**
 * The last bytes of a stream, by their place in the whole of it: `start` is the place of the oldest one
 * that is kept, `end` the place after the newest. Takes `maxBytes` of memory at most, less while less
 * was printed.
 */
export class Scrollback {
  readonly #maxBytes: number;
  #ring: Buffer;
  #start = 0;
  #end = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#ring = Buffer.allocUnsafe(Math.min(FIRST_BYTES, maxBytes));
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  /** Keeps `data`, and drops what is oldest. */
  append(data: Uint8Array): void {
    const kept = data.length > this.#maxBytes ? data.subarray(-this.#maxBytes) : data;
    const skipped = data.length - kept.length;
    this.#makeRoom(this.#end - this.#start + kept.length);
    this.#end += skipped;
    this.#put(this.#end, kept);
    this.#end += kept.length;
    this.#start = Math.max(this.#start, this.#end - this.#ring.length);
  }

  /** A copy of at most `maxBytes` from place `from`, which is not before `start`; empty at the end. */
  read(from: number, maxBytes: number): Buffer {
    if (from < this.#start) throw new Error("invariant: what was dropped is not read");
    const length = Math.max(0, Math.min(maxBytes, this.#end - from));
    const out = Buffer.allocUnsafe(length);
    const at = from % this.#ring.length;
    const first = this.#ring.copy(out, 0, at, Math.min(at + length, this.#ring.length));
    if (first < length) this.#ring.copy(out, first, 0, length - first);
    return out;
  }

  /** The place of the first whole line that is kept, so that no half of a control sequence comes first. */
  firstLine(): number {
    if (this.#start === 0) return 0;
    const head = this.read(this.#start, 4096);
    const newline = head.indexOf(10);
    return newline < 0 ? this.#start : this.#start + newline + 1;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#ring.length || this.#ring.length === this.#maxBytes) return;
    let size = this.#ring.length;
    while (size < bytes && size < this.#maxBytes) size = Math.min(size * 2, this.#maxBytes);
    const old = this.read(this.#start, this.#end - this.#start);
    this.#ring = Buffer.allocUnsafe(size);
    this.#put(this.#start, old);
  }

  #put(place: number, data: Uint8Array): void {
    const at = place % this.#ring.length;
    const first = Math.min(data.length, this.#ring.length - at);
    this.#ring.set(data.subarray(0, first), at);
    if (first < data.length) this.#ring.set(data.subarray(first), 0);
  }
}
