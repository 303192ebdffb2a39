import type { Duplex } from "node:stream";
import type { Shell, ShellEnd } from "../provisioning/compute-backend.ts";

/** What a stream alone does not know. */
export interface StreamShellOptions {
  /** Both directions of the pseudoterminal. */
  readonly stream: Duplex;
  readonly resize: (cols: number, rows: number) => void;
  /** How it ended, asked once when the stream has. */
  readonly readEnd: () => Promise<ShellEnd>;
  /** Ends the shell and what it left running; the stream is closed afterwards. */
  readonly end: () => Promise<void>;
}

/** A shell over a stream: an engine's hijacked connection, or a channel of an SSH connection. */
export function shellOfStream(options: StreamShellOptions): Shell {
  const { stream } = options;
  let closing: Promise<void> | null = null;
  const ended = new Promise<ShellEnd>((resolve) => {
    // Its close follows.
    stream.on("error", () => undefined);
    stream.once("end", () => stream.destroy());
    stream.once("close", () => {
      options.readEnd().then(resolve, () => resolve({ kind: "lost", exitCode: null }));
    });
  });
  // Nothing is taken off the stream before somebody listens.
  stream.pause();
  return {
    ended,
    write: (data) =>
      new Promise((resolve) => {
        if (stream.destroyed || !stream.writable) return resolve();
        if (stream.write(data)) return resolve();
        stream.once("drain", resolve);
        stream.once("close", resolve);
      }),
    resize: options.resize,
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    onOutput(listener) {
      stream.on("data", (data: Buffer) => listener(data));
      stream.resume();
    },
    close() {
      closing ??= options.end().finally(() => stream.destroy());
      return closing;
    },
  };
}
