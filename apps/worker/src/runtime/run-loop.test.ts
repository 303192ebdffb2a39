import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SILENT_LOG } from "./log.ts";
import { RunLoop } from "./run-loop.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const open = (run: (signal: AbortSignal) => Promise<void>, everyMs = 1_000) =>
  new RunLoop({ name: "test", everyMs, run, log: SILENT_LOG });

it("runs at once and then again after its time", async () => {
  let rounds = 0;
  const loop = open(async () => {
    rounds += 1;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(rounds).toBe(1);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(rounds).toBe(2);
  await loop.stop();
});

it("never overlaps rounds, and however often it is woken it owes one more", async () => {
  let running = 0;
  let most = 0;
  let rounds = 0;
  const loop = open(async () => {
    running += 1;
    most = Math.max(most, running);
    rounds += 1;
    await new Promise((resolve) => setTimeout(resolve, 500));
    running -= 1;
  }, 60_000);
  await vi.advanceTimersByTimeAsync(10);
  for (let i = 0; i < 5; i += 1) loop.wake();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([most, rounds]).toEqual([1, 2]);
  await loop.stop();
});

it("leaves time between rounds that it is woken for", async () => {
  let rounds = 0;
  const run = async () => {
    rounds += 1;
  };
  const options = { name: "test", everyMs: 60_000, wakeGapMs: 500, run, log: SILENT_LOG };
  const loop = new RunLoop(options);
  for (let ms = 0; ms < 1_900; ms += 10) {
    loop.wake();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(rounds).toBe(4);
  await loop.stop();
});

it("goes on after a round that threw, and does not spin when it is woken while failing", async () => {
  let rounds = 0;
  const loop = open(async () => {
    rounds += 1;
    loop.wake();
    throw new Error("down");
  });
  await vi.advanceTimersByTimeAsync(3_300);
  expect(rounds).toBeGreaterThanOrEqual(3);
  expect(rounds).toBeLessThanOrEqual(5);
  await loop.stop();
});

it("stops after the present round, whose signal is aborted, and begins no other", async () => {
  let rounds = 0;
  let isAborted = false;
  const loop = open(async (signal) => {
    rounds += 1;
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve());
    });
    isAborted = signal.aborted;
  });
  await vi.advanceTimersByTimeAsync(10);
  await loop.stop();
  loop.wake();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([rounds, isAborted]).toEqual([1, true]);
});

it("tells its pulse of every round that did not fail", async () => {
  const ticks: string[] = [];
  let rounds = 0;
  const loop = new RunLoop({
    name: "test",
    everyMs: 1_000,
    run: async () => {
      rounds += 1;
      if (rounds === 2) throw new Error("once");
    },
    pulse: { tick: (name, everyMs) => ticks.push(`${name} ${everyMs}`) },
    log: SILENT_LOG,
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(ticks).toEqual(["test 1000"]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect([rounds, ticks.length]).toEqual([2, 1]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect([rounds, ticks.length]).toEqual([3, 2]);
  await loop.stop();
});
