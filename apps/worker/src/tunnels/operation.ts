/** What an operation is known by and how much it moves. */
export interface OperationBounds {
  /** For a failure of a file; empty for what is no file. */
  readonly path?: string;
  /** Bytes that go either way; they have their own time. */
  readonly bytes?: number;
  /** Instead of the time of an operation, in ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a started operation ends. */
export interface Settle<T> {
  resolve(result: T): void;
  /** Whatever a callback of the library was given. */
  reject(error: unknown): void;
}
