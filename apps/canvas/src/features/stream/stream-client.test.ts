import { beforeEach, describe, expect, it } from "vitest";
import { backoffMs, type Socket, StreamClient, type StreamState } from "./stream-client.ts";

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  isClosed = false;
  readonly cursor: string;
  constructor(cursor: string) {
    this.cursor = cursor;
  }
  close() {
    this.isClosed = true;
  }
  say(value: unknown) {
    this.onmessage?.({ data: JSON.stringify(value) });
  }
}

function event(cursor: string) {
  return { event: "WORKSPACE_UPDATED", workspace_id: "w", timestamp: "", payload: {}, cursor };
}

function setUp() {
  const sockets: FakeSocket[] = [];
  const frames: (() => void)[] = [];
  const timers: { delayMs: number; run: () => void }[] = [];
  const batches: number[] = [];
  const payloads: unknown[] = [];
  const states: StreamState[] = [];
  const told: string[] = [];
  const world = { snapshotCursor: "900" as string | null, nowMs: 5_000 };
  const client = new StreamClient(
    {
      open: (cursor) => {
        const socket = new FakeSocket(cursor);
        sockets.push(socket);
        return socket;
      },
      nextFrame: (callback) => {
        frames.push(callback);
        return () => frames.splice(frames.indexOf(callback), 1);
      },
      after: (delayMs, run) => {
        timers.push({ delayMs, run });
        return () => {};
      },
      checked: (event) => ({ ...event, payload: { ...event.payload, wasChecked: true } }),
      nowMs: () => world.nowMs,
      random: () => 0,
    },
    {
      onEvents: (events) => {
        batches.push(events.length);
        payloads.push(...events.map(({ payload }) => payload));
      },
      onState: (state) => states.push(state),
      onTemplates: () => told.push("templates"),
      onResync: () =>
        world.snapshotCursor === null
          ? Promise.reject(new Error("down"))
          : Promise.resolve(world.snapshotCursor),
    },
    "10",
  );
  const last = () => sockets[sockets.length - 1] as FakeSocket;
  return { client, sockets, frames, timers, batches, payloads, states, last, world, told };
}

describe("the stream", () => {
  let it_: ReturnType<typeof setUp>;
  beforeEach(() => {
    it_ = setUp();
    it_.client.start();
  });

  it("delivers everything of one frame in one batch", () => {
    it_.last().onopen?.();
    it_.last().say({ control: "live", cursor: "10" });
    it_.last().say(event("11"));
    it_.last().say(event("12"));
    expect(it_.batches).toEqual([]);
    it_.frames.shift()?.();
    expect(it_.batches).toEqual([2]);
  });

  it("hands on what its port made of each event", () => {
    it_.last().say({ control: "live", cursor: "10" });
    it_.last().say(event("11"));
    it_.frames.shift()?.();
    expect(it_.payloads).toEqual([{ wasChecked: true }]);
  });

  it("asks for what came after the last event when it reconnects", () => {
    it_.last().say({ control: "live", cursor: "10" });
    it_.last().say(event("11"));
    it_.last().onclose?.({ code: 1006 });
    it_.timers.shift()?.run();
    expect(it_.sockets.map((socket) => socket.cursor)).toEqual(["10", "11"]);
  });

  it("waits longer after each failure and starts over once it is live", () => {
    it_.last().onclose?.({ code: 1006 });
    it_.timers.at(-1)?.run();
    it_.last().onclose?.({ code: 1006 });
    expect(it_.timers.map((timer) => timer.delayMs)).toEqual([1_000, 2_000]);
    it_.timers.at(-1)?.run();
    it_.last().say({ control: "live", cursor: "10" });
    it_.last().onclose?.({ code: 1006 });
    expect(it_.timers.at(-1)?.delayMs).toBe(1_000);
  });

  it("says since when it is offline, through all tries", () => {
    it_.last().onclose?.({ code: 1006 });
    it_.world.nowMs = 9_000;
    it_.timers.at(-1)?.run();
    it_.last().onclose?.({ code: 1006 });
    expect(it_.states.at(-1)).toEqual({ kind: "offline", sinceMs: 5_000 });
  });

  it("takes a new snapshot when the server says resync", async () => {
    const first = it_.last();
    first.say({ control: "resync", reason: "too old" });
    await Promise.resolve();
    await Promise.resolve();
    expect(first.isClosed).toBe(true);
    expect(it_.last().cursor).toBe("900");
  });

  it("tries again later when the snapshot of a resync fails", async () => {
    it_.world.snapshotCursor = null;
    it_.last().say({ control: "resync", reason: "too old" });
    await Promise.resolve();
    await Promise.resolve();
    expect(it_.states.at(-1)?.kind).toBe("offline");
    expect(it_.timers).toHaveLength(1);
  });

  it("does not reconnect after the session ended", () => {
    it_.last().onclose?.({ code: 4401 });
    expect(it_.states.at(-1)).toEqual({ kind: "signed-out" });
    expect(it_.timers).toHaveLength(0);
  });

  it("delivers nothing after stop", () => {
    it_.last().say({ control: "live", cursor: "10" });
    const socket = it_.last();
    it_.client.stop();
    socket.say(event("11"));
    expect(it_.frames).toHaveLength(0);
    expect(it_.batches).toEqual([]);
  });

  it("says when templates are others, and stays as it is", () => {
    it_.last().say({ control: "live", cursor: "10" });
    it_.last().say({ control: "templates" });
    expect(it_.told).toEqual(["templates"]);
    expect(it_.sockets).toHaveLength(1);
    expect(it_.last().isClosed).toBe(false);
  });

  it("ignores a message that is not ours", () => {
    it_.last().onmessage?.({ data: "not json" });
    it_.last().say({ control: "from the future" });
    expect(it_.batches).toEqual([]);
  });
});

describe("the back-off", () => {
  it("doubles from 1 s to 30 s", () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((n) => backoffMs(n, 0))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });
});
