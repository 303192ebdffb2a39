import { setTimeout as delay } from "node:timers/promises";

/** Places where a test can make this process fail. Source: lifecycle A7. */
export const FAILPOINTS = [
  "after_claim",
  "after_begin",
  "before_stop",
  "after_stop",
  "before_snapshot",
  "after_snapshot",
  "before_create",
  "after_create",
  "after_created",
  "before_release",
] as const;
export type FailpointName = (typeof FAILPOINTS)[number];

/** Runs what a test has put at a place; nothing otherwise. */
export type Failpoint = (name: FailpointName) => Promise<void>;

const ACTIONS: Record<string, (argument: number) => Promise<void>> = {
  crash: async () => {
    process.kill(process.pid, "SIGKILL");
    await delay(60_000);
  },
  pause: async (ms) => await delay(ms),
  throw: () => Promise.reject(new Error("a failpoint was asked to throw here")),
};

/**
 * Reads "after_create:crash,before_stop:pause=500,after_stop:throw". `crash` kills this process,
 * `pause` takes milliseconds, `throw` throws; "*1" after an action makes it happen once. Empty text
 * makes every place a no-op.
 */
export function parseFailpoints(text: string): Failpoint {
  if (text === "") return () => Promise.resolve();
  const left = new Map<string, { run: () => Promise<void>; times: number }>();
  for (const entry of text.split(",")) {
    const match = /^(\w+):(\w+)(?:=(\d+))?(?:\*(\d+))?$/.exec(entry.trim());
    const [, name = "", action = "", argument = "0", times] = match ?? [];
    const run = ACTIONS[action];
    if (run === undefined || !(FAILPOINTS as readonly string[]).includes(name)) {
      throw new Error(`MOLECULE_FAILPOINTS has an entry that is not known: ${entry}`);
    }
    left.set(name, {
      run: () => run(Number(argument)),
      times: times === undefined ? Number.POSITIVE_INFINITY : Number(times),
    });
  }
  return async (name) => {
    const found = left.get(name);
    if (found === undefined || found.times <= 0) return;
    found.times -= 1;
    await found.run();
  };
}
