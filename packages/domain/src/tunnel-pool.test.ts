import { describe, expect, it } from "vitest";
import {
  agesFor,
  type ConnectionFacts,
  DEFAULT_TUNNEL_SETTINGS,
  decideConnection,
  decideSlot,
  idleLimitMs,
  jitteredAgeMs,
  leastRecentlyUsed,
  mayWarm,
  operationTimeoutMs,
  readTunnelSettings,
  reconnectDelayMs,
  type SlotFacts,
} from "./tunnel-pool.ts";

const SETTINGS = DEFAULT_TUNNEL_SETTINGS;
const EMPTY: SlotFacts = {
  ageMs: null,
  softAgeMs: 3_000_000,
  hardAgeMs: 3_540_000,
  isConnecting: false,
  blockedForMs: null,
};
const QUIET: ConnectionFacts = {
  ageMs: 1_000,
  hardAgeMs: 3_540_000,
  users: 0,
  unusedMs: 0,
  isDraining: false,
};

describe("what a caller gets", () => {
  it.each([
    ["nothing is there: a connection is begun", {}, "connect"],
    ["one is being made: it is waited for", { isConnecting: true }, "wait"],
    ["the last try failed a moment ago: its fault is the answer", { blockedForMs: 100 }, "refuse"],
    ["one is ready: it is used", { ageMs: 5 }, "use"],
    ["one is ready and another is made: the ready one", { ageMs: 5, isConnecting: true }, "use"],
  ] as const)("TU1 %s", (_name, change, decision) => {
    expect(decideSlot({ ...EMPTY, ...change })).toBe(decision);
  });

  it.each([
    ["at the soft age it is used and the next one begun", { ageMs: 3_000_000 }, "use_and_renew"],
    ["the next one is begun once", { ageMs: 3_000_000, isConnecting: true }, "use"],
    ["a renewal that failed waits", { ageMs: 3_000_000, blockedForMs: 100 }, "use"],
    ["at the hard age nobody gets it", { ageMs: 3_540_000 }, "connect"],
  ] as const)("TU2 %s", (_name, change, decision) => {
    expect(decideSlot({ ...EMPTY, ...change })).toBe(decision);
  });
});

describe("the age of a connection", () => {
  it("TU2 ends it at the hard age, in use or not", () => {
    const old = { ...QUIET, ageMs: 3_540_000 };
    expect(decideConnection(old, 300_000)).toBe("close_old");
    expect(decideConnection({ ...old, users: 3 }, 300_000)).toBe("close_old");
  });

  it("TU2 lets one that was replaced end its uses", () => {
    const replaced = { ...QUIET, isDraining: true };
    expect(decideConnection({ ...replaced, users: 1 }, 300_000)).toBe("keep");
    expect(decideConnection(replaced, 300_000)).toBe("close_drained");
  });

  it("TU3 is drawn within 5 % and fits a shorter longest duration", () => {
    expect(jitteredAgeMs(1_000, 0)).toBe(950);
    expect(jitteredAgeMs(1_000, 0.999)).toBeLessThan(1_050);
    expect(agesFor(3_600)).toEqual({ softAgeMs: 3_000_000, hardAgeMs: 3_540_000 });
    expect(agesFor(60)).toEqual({ softAgeMs: 50_000, hardAgeMs: 59_000 });
  });
});

describe("what is unused", () => {
  it("TU4 is closed after the idle time, in use never", () => {
    expect(decideConnection({ ...QUIET, unusedMs: 299_999 }, 300_000)).toBe("keep");
    expect(decideConnection({ ...QUIET, unusedMs: 300_000 }, 300_000)).toBe("close_idle");
    expect(decideConnection({ ...QUIET, unusedMs: 300_000, users: 1 }, 300_000)).toBe("keep");
  });

  it("TU4 is closed earlier above three quarters of the cap", () => {
    expect(idleLimitMs(SETTINGS, 12)).toBe(300_000);
    expect(idleLimitMs(SETTINGS, 13)).toBe(60_000);
    expect(idleLimitMs({ ...SETTINGS, idleMs: 5_000 }, 13)).toBe(5_000);
  });

  it("TU5 gives way when it is unused for the longest time; one in use never does", () => {
    const one = (name: string, users: number, unusedMs: number) => ({ name, users, unusedMs });
    const all = [one("a", 0, 5), one("b", 1, 99), one("c", 0, 50)];
    expect(leastRecentlyUsed(all)?.name).toBe("c");
    expect(leastRecentlyUsed([one("b", 1, 99)])).toBeUndefined();
  });
});

describe("tries and times", () => {
  it("TU6 double from 250 ms up to 10 s", () => {
    const waits = [1, 2, 3, 6, 7, 99].map((failures) => reconnectDelayMs(SETTINGS, failures));
    expect(waits).toEqual([250, 500, 1_000, 8_000, 10_000, 10_000]);
  });

  it("TU10 allow an operation its bytes", () => {
    expect(operationTimeoutMs(SETTINGS, 0)).toBe(10_000);
    expect(operationTimeoutMs(SETTINGS, 5_000_000)).toBe(15_000);
  });

  it("TU12 warm two at once, not above three quarters of the cap, never what is stopped", () => {
    const now = { used: 3, warming: 0, isRunning: true };
    expect(mayWarm(SETTINGS, now)).toBe(true);
    expect(mayWarm(SETTINGS, { ...now, warming: 2 })).toBe(false);
    expect(mayWarm(SETTINGS, { ...now, used: 12 })).toBe(false);
    expect(mayWarm(SETTINGS, { ...now, isRunning: false })).toBe(false);
    expect(mayWarm({ ...SETTINGS, idleMs: 0 }, now)).toBe(false);
  });
});

describe("the variables", () => {
  it("TU11 absent or empty are the defaults", () => {
    expect(readTunnelSettings({}).settings).toEqual(SETTINGS);
    expect(readTunnelSettings({ EIC_TUNNEL_POOL_TTL: " " })).toEqual({
      settings: SETTINGS,
      ignored: [],
    });
  });

  it("TU11 take idle seconds, of which 0 is one connection per operation", () => {
    const idle = (text: string) =>
      readTunnelSettings({ EIC_TUNNEL_POOL_TTL: text }).settings.idleMs;
    expect([idle("50"), idle("0"), idle("1.5")]).toEqual([50_000, 0, 1_500]);
  });

  it.each(["50s", "-1", "NaN", "1e9999", "Infinity"])(
    "TU11 name %s and use the default",
    (text) => {
      const read = readTunnelSettings({ EIC_TUNNEL_POOL_TTL: text });
      expect(read.settings).toEqual(SETTINGS);
      expect(read.ignored).toEqual([{ variable: "EIC_TUNNEL_POOL_TTL", text }]);
    },
  );

  it("TU11 a shorter longest duration shortens the ages with it", () => {
    const { settings } = readTunnelSettings({ EIC_TUNNEL_MAX_DURATION_SECONDS: "600" });
    expect([settings.softAgeMs, settings.hardAgeMs]).toEqual([500_000, 590_000]);
  });
});
