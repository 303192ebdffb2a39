/** Bounds of a wait. */
export interface WithinOptions<T> {
  readonly ms: number;
  /** The error when the time is over. */
  readonly late: () => Error;
  /** Its reason ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of a result that came when nobody waited any more. */
  readonly dispose?: ((result: T) => void) | undefined;
}

/** The result of `work`, unless the time is over or the signal comes first. `work` itself goes on. */
export async function within<T>(work: Promise<T>, options: WithinOptions<T>): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    let isOver = false;
    const end = (settle: () => void) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(options.signal?.reason as Error));
    const timer = setTimeout(() => end(() => reject(options.late())), options.ms);
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener("abort", onAbort, { once: true });
    work.then(
      (result) => {
        if (isOver) options.dispose?.(result);
        end(() => resolve(result));
      },
      (error: unknown) => end(() => reject(error as Error)),
    );
  });
}
