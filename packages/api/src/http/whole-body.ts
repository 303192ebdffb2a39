/** Reads all of a body; null when it is longer than `maxBytes`. */
type ReadWhole = (maxBytes: number) => Promise<Uint8Array | null>;

const readers = new WeakMap<Request, ReadWhole>();

/** Remembers a way to the body that needs no web stream; a stream costs more than a small body itself. */
export function keepWholeBody(request: Request, read: ReadWhole): void {
  readers.set(request, read);
}

/** That way, once; null when there is none or it has been used. */
export function takeWholeBody(request: Request): ReadWhole | null {
  const read = readers.get(request) ?? null;
  readers.delete(request);
  return request.bodyUsed ? null : read;
}
