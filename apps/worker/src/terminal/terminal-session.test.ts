import type { TerminalNotice } from "@molecule/contracts/terminal-protocol";
import type { TerminalEnd, TerminalPlace } from "@molecule/domain/terminal";
import { describe, expect, it } from "vitest";
import { FakeShell } from "./fake-shell.ts";
import { TerminalSession, type ViewerSink } from "./terminal-session.ts";

const KEY = { workspaceId: "w", attemptNo: 2 };
const READY: TerminalPlace = { backend: "docker", intent: "run", phase: "READY", attemptNo: 2 };
const IDLE_MS = 900_000;

/** A viewer that takes what it is sent only when the test says so. */
class TestSink implements ViewerSink {
  readonly notices: TerminalNotice[] = [];
  readonly waiting: (() => void)[] = [];
  shown = "";
  closedWith: TerminalEnd | null = null;
  isPaused = false;
  isSlow = false;

  send(data: Uint8Array, done: () => void): void {
    this.shown += Buffer.from(data).toString();
    if (this.isSlow) this.waiting.push(done);
    else done();
  }
  tell(notice: TerminalNotice): void {
    this.notices.push(notice);
  }
  close(end: TerminalEnd): void {
    this.closedWith = end;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  /** Takes everything that is on its way, also what follows it. */
  take(): void {
    for (let done = this.waiting.shift(); done !== undefined; done = this.waiting.shift()) done();
  }
  last(kind: TerminalNotice["kind"]): TerminalNotice | undefined {
    return this.notices.findLast((notice) => notice.kind === kind);
  }
}

function open(over: { place?: TerminalPlace | null } = {}) {
  const request = { key: KEY, terminalId: "t", cols: 80, rows: 24, idleSeconds: 900 };
  const shell = new FakeShell(request);
  const state = { nowMs: 0, ends: [] as TerminalEnd[] };
  const session = new TerminalSession(
    {
      id: "worker.t",
      key: KEY,
      shell,
      openedBy: "Ada",
      idleMs: IDLE_MS,
      nowMs: () => state.nowMs,
      findPlace: async () => (over.place === undefined ? READY : over.place),
      onEnd: (end) => state.ends.push(end),
    },
    { cols: 80, rows: 24 },
  );
  const look = (cols = 80, rows = 24) => {
    const sink = new TestSink();
    const viewing = session.attach(sink, { cols, rows }, false);
    return { sink, viewing };
  };
  return { shell, session, state, look };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a terminal", () => {
  it("shows a viewer that comes back what was printed meanwhile, and every viewer the same", () => {
    const { shell, look } = open();
    const first = look();
    shell.print("one ");
    first.viewing?.leave();
    shell.print("two ");
    const second = look();
    const third = look();
    shell.print("three");
    expect(first.sink.shown).toBe("one ");
    expect(second.sink.shown).toBe("one two three");
    expect(third.sink.shown).toBe("one two three");
    expect(second.sink.last("viewers")).toEqual({ kind: "viewers", count: 2 });
  });

  it("passes on what any viewer types, byte for byte", () => {
    const { shell, look } = open();
    const [a, b] = [look(), look()];
    a.viewing?.input(Buffer.from("ls\r"));
    b.viewing?.input(Buffer.from("\x03"));
    expect(shell.written).toBe("ls\r\x03");
    expect(a.sink.isPaused).toBe(true);
  });

  it("TM5 has the size that every viewer can show, and tells it", () => {
    const { shell, look } = open();
    const wide = look(200, 50);
    expect(shell.size).toEqual({ cols: 200, rows: 50 });
    const small = look(80, 60);
    expect(shell.size).toEqual({ cols: 80, rows: 50 });
    expect(wide.sink.last("size")).toEqual({ kind: "size", cols: 80, rows: 50 });
    small.viewing?.order({ kind: "resize", cols: 100, rows: 40 });
    expect(shell.size).toEqual({ cols: 100, rows: 40 });
    small.viewing?.leave();
    expect(shell.size).toEqual({ cols: 200, rows: 50 });
  });

  it("keeps at most a window for a slow viewer, moves it over what it missed, and holds up no other", () => {
    const { shell, look } = open();
    const slow = look();
    slow.sink.isSlow = true;
    const quick = look();
    const line = `${"x".repeat(1023)}\n`;
    for (let n = 0; n < 3000; n += 1) shell.print(line);
    expect(quick.sink.shown).toHaveLength(3000 * 1024);
    expect(slow.sink.shown.length).toBeLessThanOrEqual(262_144 + 32_768);
    expect(shell.isPaused).toBe(false);
    slow.sink.take();
    const gap = slow.sink.last("gap");
    expect(gap).toBeDefined();
    expect(slow.sink.shown.endsWith(line)).toBe(true);
    const missed = gap?.kind === "gap" ? gap.bytes : 0;
    expect(slow.sink.shown.length + missed).toBe(3000 * 1024);
  });

  it("lets the shell wait while everybody who looks is behind, and not while nobody looks", () => {
    const { shell, look } = open();
    const only = look();
    only.sink.isSlow = true;
    const chunk = Buffer.alloc(100_000, "y");
    for (let n = 0; n < 9; n += 1) shell.print(chunk);
    expect(shell.isPaused).toBe(true);
    only.sink.take();
    expect(shell.isPaused).toBe(false);
    for (let n = 0; n < 9; n += 1) shell.print(chunk);
    expect(shell.isPaused).toBe(true);
    only.viewing?.leave();
    expect(shell.isPaused).toBe(false);
  });

  it("reads no further from a viewer that sends faster than anybody types", () => {
    const { look } = open();
    const { sink, viewing } = look();
    const block = Buffer.alloc(65_536, " ");
    for (let n = 0; n < 16; n += 1) viewing?.input(block);
    expect(sink.isPaused).toBe(true);
  });

  it("takes no more viewers than it may have", () => {
    const { look } = open();
    const all = Array.from({ length: 9 }, () => look());
    expect(all.map(({ viewing }) => viewing !== null)).toEqual([
      ...Array.from({ length: 8 }, () => true),
      false,
    ]);
  });
});

describe("the end of a terminal", () => {
  it("TM6 comes after a warning when nobody types, and a key or a new viewer puts it off", () => {
    const { session, state, shell, look } = open();
    const { sink, viewing } = look();
    state.nowMs = IDLE_MS - 100_000;
    session.check(READY);
    expect(sink.last("warning")).toEqual({ kind: "warning", end: "idle", inSeconds: 100 });
    viewing?.input(Buffer.from("x"));
    state.nowMs = IDLE_MS;
    session.check(READY);
    expect(state.ends).toEqual([]);
    state.nowMs = 2 * IDLE_MS;
    session.check(READY);
    expect(state.ends).toEqual(["idle"]);
    expect(sink.closedWith).toBe("idle");
    expect(shell.isClosed).toBe(true);
  });

  it("TM4 is told as what happened to the workspace, with the exit code of a shell that just ended", async () => {
    const plain = open();
    const { sink } = plain.look();
    plain.state.nowMs = 60_000;
    plain.shell.finish({ kind: "exited", exitCode: 3 });
    await settled();
    expect(sink.last("end")).toMatchObject({ end: "shell_ended", exitCode: 3 });
    const paused = open({ place: { ...READY, intent: "paused" } });
    paused.shell.finish({ kind: "exited", exitCode: 137 });
    await settled();
    expect(paused.state.ends).toEqual(["paused"]);
    const lost = open();
    lost.shell.finish({ kind: "lost", exitCode: null });
    await settled();
    expect(lost.state.ends).toEqual(["connection_lost"]);
  });

  it("says that there is no shell when the image has none", async () => {
    const { shell, state } = open();
    shell.finish({ kind: "exited", exitCode: 127 });
    await settled();
    expect(state.ends).toEqual(["no_shell"]);
  });

  it("TM4 comes by itself when a newer attempt has begun, also while the old shell still runs", () => {
    const { session, state } = open();
    session.check({ ...READY, attemptNo: 3 });
    expect(state.ends).toEqual(["superseded"]);
  });

  it("is decided once: what comes later changes nothing", async () => {
    const { session, state, shell, look } = open();
    const { sink, viewing } = look();
    viewing?.order({ kind: "close" });
    shell.finish({ kind: "exited", exitCode: 0 });
    session.close("worker_stopping");
    await settled();
    expect(state.ends).toEqual(["closed"]);
    expect(sink.notices.filter(({ kind }) => kind === "end")).toHaveLength(1);
    expect(session.attach(new TestSink(), { cols: 80, rows: 24 }, false)).toBeNull();
  });

  it("is announced where the connection has an age limit", () => {
    const { shell, look } = open();
    const { sink } = look();
    shell.age(120_000);
    expect(sink.last("warning")).toEqual({
      kind: "warning",
      end: "connection_replaced",
      inSeconds: 120,
    });
  });
});
