import { terminalOrder } from "@molecule/contracts/terminal";
import type { TerminalNotice } from "@molecule/contracts/terminal-protocol";
import { TERMINAL_END_TEXTS, type TerminalEnd } from "@molecule/domain/terminal";
import type { WebSocket } from "ws";
import type { ViewerSink, Viewing } from "./terminal-session.ts";

/** How long the other side may take to answer a close. */
const CLOSE_GRACE_MS = 5_000;
/** Messages that are kept while the shell is being opened. */
const MAX_EARLY = 64;

/** A viewer on a WebSocket: binary frames are output and input, text frames are notices and orders. */
export class ViewerSocket implements ViewerSink {
  readonly #socket: WebSocket;
  readonly #gone = new AbortController();
  #viewing: Viewing | null = null;
  /** What came while the shell was being opened. */
  #early: { readonly data: Buffer; readonly isBinary: boolean }[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data, isBinary) => {
      // The socket's type is the usual one, so a message is one buffer.
      this.#take({ data: data as Buffer, isBinary });
    });
    // Followed by close.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#gone.abort();
      this.#viewing?.leave();
      this.#viewing = null;
    });
  }

  /** Aborted when the viewer is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** What the viewer does goes to this terminal from now on. */
  watch(viewing: Viewing): void {
    if (this.#gone.signal.aborted) {
      viewing.leave();
      return;
    }
    this.#viewing = viewing;
    if (this.#early.length >= MAX_EARLY) this.#socket.resume();
    for (const message of this.#early.splice(0)) this.#take(message);
  }

  send(data: Uint8Array, done: () => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) done();
    else this.#socket.send(data, { binary: true }, () => done());
  }

  tell(notice: TerminalNotice): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(notice));
  }

  close(end: TerminalEnd): void {
    this.#socket.resume();
    this.#socket.close(TERMINAL_END_TEXTS[end].closeCode, end);
    setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS).unref();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #take(message: { readonly data: Buffer; readonly isBinary: boolean }): void {
    if (this.#viewing === null) {
      this.#early.push(message);
      // A person types a line while it connects; more than that waits in the network.
      if (this.#early.length === MAX_EARLY) this.#socket.pause();
      return;
    }
    if (message.isBinary) {
      this.#viewing.input(message.data);
      return;
    }
    const order = terminalOrder.safeParse(parseJson(message.data));
    if (order.success) this.#viewing.order(order.data);
    else this.close("bad_message");
  }
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString("utf8"));
  } catch {
    return undefined;
  }
}
