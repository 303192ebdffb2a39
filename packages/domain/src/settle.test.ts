import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DirtyState,
  dirtyAfterWrite,
  DEFAULT_SETTLE_SETTINGS as S,
  type SettleWrite,
  settleDueAt,
} from "./settle.ts";

const T0 = Date.UTC(2026, 0, 1, 12);
const at = (ms: number) => new Date(T0 + ms);
const CLEAN: DirtyState = {
  firstDirtyAt: null,
  lastDirtyAt: null,
  stream: null,
  streamRestarts: 0,
  isBatch: false,
};
const write = (ms: number, over: Partial<SettleWrite> = {}): SettleWrite => ({
  stream: "files",
  isBatch: false,
  at: at(ms),
  ...over,
});
const after = (...writes: readonly SettleWrite[]) =>
  writes.reduce((state, next) => dirtyAfterWrite(state, next, S), CLEAN);

describe("what a write leaves behind", () => {
  it("W1: the first write sets both instants", () => {
    expect(after(write(0))).toMatchObject({ firstDirtyAt: at(0), lastDirtyAt: at(0) });
  });
  it("W2: a later write moves the last instant only", () => {
    expect(after(write(0), write(5_000))).toMatchObject({
      firstDirtyAt: at(0),
      lastDirtyAt: at(5_000),
    });
  });
  it("W3: only a gap longer than the second quiet starts a new stream", () => {
    const restarted = { ...after(write(0)), streamRestarts: 1 };
    expect(dirtyAfterWrite(restarted, write(30_000), S).streamRestarts).toBe(1);
    expect(dirtyAfterWrite(restarted, write(30_001), S).streamRestarts).toBe(0);
  });
  it("W3: a stream goes on after its restart although nothing is pending", () => {
    const applied = { ...after(write(0)), firstDirtyAt: null, streamRestarts: 1 };
    expect(dirtyAfterWrite(applied, write(20_000), S).streamRestarts).toBe(1);
  });
  it("W4: pending files keep their slower quiet, the latest write says whether it is a batch", () => {
    const mixed = after(write(0), write(1_000, { stream: "settings", isBatch: true }));
    expect(mixed).toMatchObject({ stream: "files", isBatch: true });
    expect(after(write(0, { stream: "settings" }), write(1_000)).stream).toBe("files");
    expect(after(write(0, { isBatch: true }), write(1)).isBatch).toBe(false);
  });
});

describe("when writes are due", () => {
  it("S1: nothing pending is never due", () => {
    expect(settleDueAt(CLEAN, S)).toBeNull();
  });
  it("S2: the first restart waits for the quiet of its stream, up to the cap", () => {
    expect(settleDueAt(after(write(0)), S)).toEqual(at(15_000));
    expect(settleDueAt(after(write(0, { stream: "settings" })), S)).toEqual(at(3_000));
    const burst = after(...Array.from({ length: 17 }, (_, i) => write(i * 4_500)));
    expect(settleDueAt(burst, S)).toEqual(at(75_000));
  });
  it("S3: a later restart waits for the second quiet, up to the hard limit", () => {
    const again = { ...after(write(0), write(800_000)), streamRestarts: 1 };
    expect(settleDueAt(again, S)).toEqual(at(830_000));
    expect(settleDueAt({ ...again, lastDirtyAt: at(899_999) }, S)).toEqual(at(900_000));
  });
  it("S4: a batch is due at once", () => {
    expect(settleDueAt(after(write(0), write(2_000, { isBatch: true })), S)).toEqual(at(2_000));
  });
  it("S2: no sequence of writes is ever due later than the hard limit after its first", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 3 }), (list, restarts) => {
        let now = 0;
        const writes = list.map((gap) => {
          now += gap;
          return write(now);
        });
        const state = after(...writes);
        const due = settleDueAt({ ...state, streamRestarts: restarts }, S);
        const first = state.firstDirtyAt?.getTime() ?? 0;
        expect(due?.getTime()).toBeLessThanOrEqual(first + S.hardLimitMs);
        if (restarts === 0) expect(due?.getTime()).toBeLessThanOrEqual(first + S.capMs);
      }),
    );
  });
});
