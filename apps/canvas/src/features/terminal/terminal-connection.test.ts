import type { TerminalNotice } from "@molecule/contracts/terminal-protocol";
import { describe, expect, it } from "vitest";
import { TerminalConnection, type TerminalState } from "./terminal-connection.ts";

const SIZE = { cols: 80, rows: 24 };

/** The page's half of a socket, as far as a terminal uses it. */
class TestSocket {
  readonly path: string;
  readonly protocols: string[];
  readyState = 1;
  binaryType = "";
  sent: (string | Uint8Array)[] = [];
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(path: string, protocols: string[]) {
    this.path = path;
    this.protocols = protocols;
  }
  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  tell(notice: TerminalNotice): void {
    this.onmessage?.({ data: JSON.stringify(notice) });
  }
}

function open(session: string | null = null) {
  const sockets: TestSocket[] = [];
  const states: TerminalState[] = [];
  const seen = { output: "", resets: 0, tickets: 0, failure: null as string | null };
  const connection = new TerminalConnection(
    {
      ticket: async () => {
        if (seen.failure !== null) throw new Error(seen.failure);
        seen.tickets += 1;
        return `t${seen.tickets}`;
      },
      open: (path, protocols) => {
        const socket = new TestSocket(path, protocols);
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      onState: (state) => states.push(state),
      onOutput: (data) => {
        seen.output += new TextDecoder().decode(data);
      },
      onSize: () => undefined,
      onReset: () => {
        seen.resets += 1;
      },
      explain: (error) => ({ sentence: String(error), next: "Next." }),
    },
    "w",
    session,
  );
  return { connection, sockets, states, seen };
}

const READY = { kind: "ready", session: "s1", isNew: true, ...SIZE } as const;

describe("a page's connection to a terminal", () => {
  it("takes a new ticket each time and puts it into no address", async () => {
    const { connection, sockets, states } = open();
    await connection.connect(SIZE);
    sockets[0]?.tell({ kind: "stage", stage: "reaching" });
    sockets[0]?.tell(READY);
    expect(sockets[0]?.path).toBe("/workspaces/w/terminal?cols=80&rows=24");
    expect(sockets[0]?.protocols).toEqual(["molecule.terminal.v1", "molecule.ticket.t1"]);
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "connecting", "open"]);
  });

  it("goes back to its shell when the connection broke, and to a new one when that has ended", async () => {
    const { connection, sockets, states } = open();
    await connection.connect(SIZE);
    sockets[0]?.tell(READY);
    sockets[0]?.onclose?.();
    expect(states.at(-1)).toMatchObject({ kind: "ended", comesBack: true });
    await connection.connect(SIZE);
    expect(sockets[1]?.path).toContain("session=s1");
    expect(sockets[1]?.protocols).toContain("molecule.ticket.t2");
    const ended = { sentence: "The shell has ended.", next: "Open a new one." };
    sockets[1]?.tell({ kind: "end", end: "shell_ended", ...ended });
    sockets[1]?.onclose?.();
    expect(states.at(-1)).toMatchObject({ kind: "ended", comesBack: false, ...ended });
    await connection.connect(SIZE);
    expect(sockets[2]?.path).not.toContain("session");
  });

  it("begins what is shown anew after a gap, and hears nothing of a connection that was replaced", async () => {
    const { connection, sockets, seen } = open("s1");
    await connection.connect(SIZE);
    sockets[0]?.tell(READY);
    sockets[0]?.tell({ kind: "gap", bytes: 5 });
    expect(seen.resets).toBe(2);
    await connection.connect(SIZE);
    sockets[0]?.onmessage?.({ data: new TextEncoder().encode("old").buffer });
    sockets[1]?.onmessage?.({ data: new TextEncoder().encode("new").buffer });
    expect(seen.output).toBe("new");
  });

  it("sends a long paste in pieces, in order", async () => {
    const { connection, sockets } = open();
    await connection.connect(SIZE);
    const paste = new TextEncoder().encode("0123456789".repeat(5_000));
    connection.type(paste);
    const pieces = (sockets[0]?.sent ?? []) as Uint8Array[];
    expect(pieces.map((piece) => piece.length)).toEqual([16_384, 16_384, 16_384, 848]);
    expect(Buffer.concat(pieces).equals(Buffer.from(paste))).toBe(true);
  });

  it("says why there was no ticket, and nothing after it was left", async () => {
    const { connection, states, seen } = open();
    seen.failure = "You may not.";
    await connection.connect(SIZE);
    expect(states.at(-1)).toMatchObject({ kind: "ended", sentence: "Error: You may not." });
    seen.failure = null;
    const connecting = connection.connect(SIZE);
    connection.stop();
    const before = states.length;
    await connecting;
    expect(states).toHaveLength(before);
  });
});
