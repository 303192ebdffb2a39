import type { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";

/** A terminal on a machine. */
export interface RemoteShell {
  /** Bytes of the terminal, both ways. It closes with the shell or with its connection. */
  readonly stream: Duplex;
  resize(size: { readonly cols: number; readonly rows: number }): void;
  /** Resolves once, when the shell is over: its code, or null when its connection ended before. */
  readonly exit: Promise<number | null>;
}

/** The terminal behind a channel. */
export function shellOf(channel: ClientChannel): RemoteShell {
  let code: number | null = null;
  channel.on("exit", (exitCode: number | null) => {
    code = exitCode;
  });
  return {
    stream: channel,
    resize: ({ cols, rows }) => channel.setWindow(rows, cols, 0, 0),
    exit: new Promise((resolve) => channel.once("close", () => resolve(code))),
  };
}
