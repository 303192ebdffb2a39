/**
 * What belongs to a request that came over a socket and is made only when somebody asks for it: a web
 * stream and a signal cost more than a small body and its answer. Requests of tests carry their own.
 */
interface Incoming {
  readonly hasBody: boolean;
  /** All of it at once; null when it is longer than `maxBytes`. */
  readonly readAll: (maxBytes: number) => Promise<Uint8Array | null>;
  readonly stream: () => ReadableStream<Uint8Array>;
  /** Aborted when the client goes before it has its answer. */
  readonly signal: () => AbortSignal;
}

const incoming = new WeakMap<Request, Incoming>();
const taken = new WeakSet<Request>();

/** Remembers what belongs to a request that itself has neither body nor signal. */
export function keepIncoming(request: Request, parts: Incoming): void {
  incoming.set(request, parts);
}

/** Whether a body was sent along. */
export function hasBody(request: Request): boolean {
  return incoming.get(request)?.hasBody ?? request.body !== null;
}

/** The body as it comes; null when there is none. To be asked for once. */
export function bodyOf(request: Request): ReadableStream<Uint8Array> | null {
  const parts = incoming.get(request);
  if (parts === undefined) return request.body;
  taken.add(request);
  return parts.hasBody ? parts.stream() : null;
}

/** A way to read all of the body past any stream, once; null when there is none or it has been used. */
export function takeWholeBody(request: Request): Incoming["readAll"] | null {
  const parts = incoming.get(request);
  if (parts === undefined || !parts.hasBody || taken.has(request)) return null;
  taken.add(request);
  return parts.readAll;
}

/** Aborted when the client of this request goes before it has its answer. */
export function goneOf(request: Request): AbortSignal {
  return incoming.get(request)?.signal() ?? request.signal;
}
