/** Some bytes of a file; both ends are among them. */
export interface FilePart {
  readonly first: number;
  readonly last: number;
}

/** A file that can be handed out once, as a whole or in part. */
export interface ServedFile {
  readonly name: string;
  readonly contentType: string;
  /** In bytes; null when its owner did not say, and then it is handed out as a whole. */
  readonly size: number | null;
  /** Its bytes as somebody takes them; null: all of them. */
  readonly open: (part: FilePart | null) => ReadableStream<Uint8Array>;
  /** Nobody will take it. */
  readonly discard: () => void;
}

/** The wanted bytes of a stream; what comes after them is not waited for. */
export async function* sliceOf(
  bytes: AsyncIterable<Uint8Array>,
  part: FilePart,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of bytes) {
    const from = Math.max(0, part.first - at);
    const to = Math.min(chunk.byteLength, part.last + 1 - at);
    if (from < to) yield chunk.subarray(from, to);
    at += chunk.byteLength;
    if (at > part.last) return;
  }
}

/** An iterable as the stream of an answer: taken as fast as it is read, ended when nobody reads on. */
export function streamOf(bytes: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await bytes.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: async () => {
        await bytes.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
