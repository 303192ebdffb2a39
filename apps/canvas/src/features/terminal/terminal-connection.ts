import {
  TERMINAL_PROTOCOL,
  TERMINAL_TICKET_PREFIX,
  type TerminalNotice,
  type TerminalOrder,
} from "@molecule/contracts/terminal-protocol";
import {
  TERMINAL_END_TEXTS,
  type TerminalEnd,
  type TerminalSize,
  type TerminalStage,
} from "@molecule/domain/terminal";

/** Where a page is with its terminal. */
export type TerminalState =
  | { readonly kind: "connecting"; readonly stage: TerminalStage }
  | { readonly kind: "open"; readonly viewers: number; readonly warning: string | null }
  | {
      readonly kind: "ended";
      readonly sentence: string;
      readonly next: string;
      /** The shell may still be there. */
      readonly comesBack: boolean;
    };

/** What a connection tells and asks. */
export interface TerminalPorts {
  /** A one-use ticket. Rejects with what a person is told. */
  ticket(): Promise<string>;
  /** Opens the page's socket to `path` with these subprotocols. */
  open(path: string, protocols: string[]): WebSocket;
  onState(state: TerminalState): void;
  onOutput(data: Uint8Array): void;
  onSize(size: TerminalSize): void;
  /** What is shown begins anew. */
  onReset(): void;
  /** The sentence and the next step of a failed ticket. */
  explain(error: unknown): { readonly sentence: string; readonly next: string };
}

const WARNINGS: Partial<Record<TerminalEnd, string>> = {
  idle: "Nobody types: this terminal is closed",
  connection_replaced: "The connection to the machine is replaced",
};

/** Largest piece of a paste; the server refuses messages over 64 KiB. */
const MAX_INPUT_BYTES = 16_384;

/**
 * One page's connection to one terminal. `connect` begins anew, with the living terminal it had or was
 * given; what a closed connection still says is not heard.
 */
export class TerminalConnection {
  readonly #ports: TerminalPorts;
  readonly #workspaceId: string;
  #socket: WebSocket | null = null;
  #session: string | null;
  #viewers = 1;
  #isOver = false;
  #tries = 0;

  constructor(ports: TerminalPorts, workspaceId: string, session: string | null) {
    this.#ports = ports;
    this.#workspaceId = workspaceId;
    this.#session = session;
  }

  async connect(size: TerminalSize): Promise<void> {
    this.#tries += 1;
    const mine = this.#tries;
    this.#socket?.close();
    this.#socket = null;
    this.#ports.onState({ kind: "connecting", stage: "authorising" });
    try {
      const ticket = await this.#ports.ticket();
      if (this.#isOver || mine !== this.#tries) return;
      this.#listen(this.#open(ticket, size));
    } catch (error) {
      if (this.#isOver || mine !== this.#tries) return;
      this.#ports.onState({ kind: "ended", comesBack: false, ...this.#ports.explain(error) });
    }
  }

  type(data: Uint8Array): void {
    if (this.#socket?.readyState !== 1) return;
    for (let at = 0; at < data.length; at += MAX_INPUT_BYTES) {
      this.#socket.send(data.slice(at, at + MAX_INPUT_BYTES));
    }
  }

  order(order: TerminalOrder): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(order));
  }

  /** Leaves the terminal; the shell lives on. */
  stop(): void {
    this.#isOver = true;
    this.#socket?.close();
  }

  #open(ticket: string, { cols, rows }: TerminalSize): WebSocket {
    const query = new URLSearchParams({ cols: String(cols), rows: String(rows) });
    if (this.#session !== null) query.set("session", this.#session);
    const path = `/workspaces/${this.#workspaceId}/terminal?${query}`;
    return this.#ports.open(path, [TERMINAL_PROTOCOL, `${TERMINAL_TICKET_PREFIX}${ticket}`]);
  }

  #listen(socket: WebSocket): void {
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let isTold = false;
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.#socket !== socket || this.#isOver) return;
      if (typeof data !== "string") {
        this.#ports.onOutput(new Uint8Array(data));
        return;
      }
      const notice = JSON.parse(data) as TerminalNotice;
      isTold ||= notice.kind === "end";
      this.#hear(notice);
    };
    socket.onclose = () => {
      if (this.#socket !== socket || this.#isOver || isTold) return;
      const { sentence, next } = TERMINAL_END_TEXTS.connection_lost;
      this.#ports.onState({ kind: "ended", sentence, next, comesBack: true });
    };
  }

  #hear(notice: TerminalNotice): void {
    switch (notice.kind) {
      case "stage":
        this.#ports.onState({ kind: "connecting", stage: notice.stage });
        break;
      case "ready":
        this.#session = notice.session;
        this.#ports.onReset();
        this.#ports.onSize(notice);
        this.#tellOpen(null);
        break;
      case "size":
        this.#ports.onSize(notice);
        break;
      case "gap":
        this.#ports.onReset();
        break;
      case "viewers":
        this.#viewers = notice.count;
        this.#tellOpen(null);
        break;
      case "warning":
        this.#tellOpen(`${WARNINGS[notice.end] ?? "It ends"} in ${notice.inSeconds} s.`);
        break;
      case "end": {
        const { comesBack } = TERMINAL_END_TEXTS[notice.end];
        if (!comesBack) this.#session = null;
        const { sentence, next } = notice;
        this.#ports.onState({ kind: "ended", sentence, next, comesBack });
        break;
      }
    }
  }

  #tellOpen(warning: string | null): void {
    this.#ports.onState({ kind: "open", viewers: this.#viewers, warning });
  }
}
