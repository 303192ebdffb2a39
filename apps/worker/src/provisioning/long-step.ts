/** A person who sees nothing for longer thinks that nothing happens. */
const REPEAT_AFTER_SECONDS = 4;

/** Passes lines on and repeats the last one with its age, so that no step looks like a standstill. */
export function steadily(tell: (line: string) => void): {
  readonly onProgress: (line: string) => void;
  stop(): void;
} {
  let last = "";
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += REPEAT_AFTER_SECONDS;
    if (last !== "") tell(`${last} (${seconds} s)`);
  }, REPEAT_AFTER_SECONDS * 1000);
  return {
    onProgress: (line) => {
      last = line;
      seconds = 0;
      timer.refresh();
      tell(line);
    },
    stop: () => clearInterval(timer),
  };
}

/** What `work` resolves to, unless the signal is aborted first; the work itself goes on. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
