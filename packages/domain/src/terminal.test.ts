import { describe, expect, it } from "vitest";
import { BACKENDS, INTENTS, PHASES } from "./sets.ts";
import {
  DEFAULT_TERMINAL_SIZE,
  endOfShell,
  idleStep,
  sharedSize,
  TERMINAL_END_TEXTS,
  TERMINAL_ENDS,
  TERMINAL_IDLE_MS,
  TERMINAL_WARNING_MS,
  terminalRefusal,
} from "./terminal.ts";

const READY = { backend: "docker", intent: "run", phase: "READY", attemptNo: 3 } as const;

describe("whether a terminal is given", () => {
  it("TM1 is refused for what is gone, removed, elsewhere or at rest, each by its own name", () => {
    expect(terminalRefusal(null, null)).toBe("gone");
    expect(terminalRefusal({ ...READY, intent: "deleted" }, 3)).toBe("removed");
    expect(terminalRefusal({ ...READY, backend: "external" }, 3)).toBe("elsewhere");
    expect(terminalRefusal({ ...READY, intent: "paused" }, 3)).toBe("paused");
    expect(terminalRefusal({ ...READY, intent: "hibernated" }, 3)).toBe("paused");
  });

  it("TM2 is refused to a permission for another attempt", () => {
    expect(terminalRefusal(READY, 2)).toBe("superseded");
    expect(terminalRefusal(READY, 3)).toBeNull();
    expect(terminalRefusal(READY, null)).toBeNull();
  });

  it("TM3 is refused while the instance is being replaced, in every other phase the instance decides", () => {
    const refused = PHASES.filter((phase) => terminalRefusal({ ...READY, phase }, 3) !== null);
    expect(refused).toEqual(["NEW", "STOPPING", "CREATING"]);
  });

  it("TM1 never offers one on a backend without instances of ours", () => {
    for (const intent of INTENTS) {
      for (const phase of PHASES) {
        const place = { ...READY, backend: "external" as const, intent, phase };
        expect(terminalRefusal(place, 3)).not.toBeNull();
      }
    }
    expect(BACKENDS).toContain("external");
  });
});

describe("what an end means", () => {
  it("TM4 is the workspace's doing where that is removed, at rest or started anew", () => {
    expect(endOfShell({ attemptNo: 3 }, READY)).toBe("shell_ended");
    expect(endOfShell({ attemptNo: 2 }, READY)).toBe("superseded");
    expect(endOfShell({ attemptNo: 3 }, { ...READY, phase: "STOPPING" })).toBe("superseded");
    expect(endOfShell({ attemptNo: 3 }, { ...READY, intent: "paused" })).toBe("paused");
    expect(endOfShell({ attemptNo: 3 }, { ...READY, intent: "deleted" })).toBe("removed");
    expect(endOfShell({ attemptNo: 3 }, null)).toBe("removed");
  });

  it("TM7 has a sentence, a next step and a code for every member of the list", () => {
    for (const member of TERMINAL_ENDS) {
      const text = TERMINAL_END_TEXTS[member];
      expect(text.sentence).toMatch(/^[A-Z].*\.$/);
      expect(text.next).toMatch(/^[A-Z].*\.$/);
      // RFC 6455 §7.4.2: 4000 to 4999 are the application's; a page may not send 1001 itself.
      const isOurs = text.closeCode >= 4400 && text.closeCode < 4600;
      expect(isOurs || text.closeCode === 1000 || text.closeCode === 1001).toBe(true);
    }
  });
});

describe("size and idle time", () => {
  it("TM5 is the largest that every viewer can show, within limits", () => {
    expect(sharedSize([])).toEqual(DEFAULT_TERMINAL_SIZE);
    expect(
      sharedSize([
        { cols: 120, rows: 20 },
        { cols: 90, rows: 40 },
      ]),
    ).toEqual({ cols: 90, rows: 20 });
    expect(sharedSize([{ cols: 0, rows: 99_999 }])).toEqual({ cols: 2, rows: 500 });
    expect(sharedSize([{ cols: Number.NaN, rows: 10.7 }])).toEqual({ cols: 2, rows: 10 });
  });

  it("TM6 warns once before it ends, counted from the last key", () => {
    const at = (nowMs: number, isWarned = false) => idleStep({ typedAtMs: 0, nowMs, isWarned });
    expect(at(0).kind).toBe("none");
    expect(at(TERMINAL_IDLE_MS - TERMINAL_WARNING_MS - 1).kind).toBe("none");
    expect(at(TERMINAL_IDLE_MS - TERMINAL_WARNING_MS)).toEqual({
      kind: "warn",
      leftMs: TERMINAL_WARNING_MS,
    });
    expect(at(TERMINAL_IDLE_MS - 1, true).kind).toBe("none");
    expect(at(TERMINAL_IDLE_MS, true).kind).toBe("end");
    expect(idleStep({ typedAtMs: 0, nowMs: 31, isWarned: false }, 60).kind).toBe("warn");
  });
});
