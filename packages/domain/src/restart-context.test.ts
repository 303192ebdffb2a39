import { describe, expect, it } from "vitest";
import {
  attemptOfRestartContext,
  type RestartContextFacts,
  restartContext,
  restartContextId,
  turnTitle,
  withInterrupted,
} from "./restart-context.ts";
import { ATTEMPT_REASONS } from "./sets.ts";

const FACTS: RestartContextFacts = {
  attempt: 4,
  reason: "files",
  sentence: "model and 12 files changed by Ada",
  restartedAt: new Date("2026-03-01T12:00:10Z"),
  previousEndedAt: new Date("2026-03-01T12:00:00Z"),
  merged: [
    {
      kind: "setting",
      count: 1,
      names: ["model"],
      actors: ["Ada"],
      from: "2026-03-01T11:59:00Z",
      to: "2026-03-01T11:59:00Z",
    },
    {
      kind: "file",
      count: 12,
      names: ["a.md", "b.md"],
      actors: ["Ada", "Bo"],
      from: "2026-03-01T11:59:00Z",
      to: "2026-03-01T11:59:30Z",
    },
  ],
  untold: [],
  interrupted: [],
  envKeys: ["ZED", "API_KEY"],
};
const QUIET = { ...FACTS, merged: [] };

describe("what an agent is told about its restart", () => {
  it("C1: an agent that has had no session is told nothing, whatever the reason", () => {
    for (const reason of ATTEMPT_REASONS) {
      expect(restartContext({ ...FACTS, reason, previousEndedAt: null })).toBeNull();
    }
  });

  it("C2: resume, wake and the platform's own restarts are told only with news", () => {
    for (const reason of [
      "resume",
      "wake",
      "schedule",
      "host_moved",
      "platform_upgrade",
    ] as const) {
      expect(restartContext({ ...QUIET, reason })).toBeNull();
      expect(restartContext({ ...FACTS, reason })).not.toBeNull();
      const interrupted = [{ title: "Count", from: "Ada" }];
      expect(restartContext({ ...QUIET, reason, interrupted })).not.toBeNull();
    }
    for (const reason of ["user", "crash", "files", "boot_retry", "template"] as const) {
      expect(restartContext({ ...QUIET, reason })).not.toBeNull();
    }
  });

  it("C3: it names times, reason, changes, broken off turns and sorted keys, and no value", () => {
    const interrupted = [
      { title: "Count to 100", from: "Bo" },
      { title: "Think", from: "" },
    ];
    expect(restartContext({ ...FACTS, interrupted })).toBe(
      [
        "You were restarted (attempt 4): model and 12 files changed by Ada.",
        "Restarted at: 2026-03-01T12:00:10.000Z",
        "Previous session ended at: 2026-03-01T12:00:00.000Z",
        "Changed since your previous session:",
        "- settings: model (by Ada)",
        "- files in /configs: a.md, b.md and 10 more (by Ada, Bo)",
        "Broken off by the restart:",
        "- “Count to 100” from Bo",
        "- “Think”",
        "Environment variables set for you (names only): API_KEY, ZED",
      ].join("\n"),
    );
    expect(restartContext({ ...QUIET, envKeys: [] })).toContain("(names only): none");
  });

  it("C4: restarts it was never told of come with the next one, also with a quiet one", () => {
    const untold = [{ attempt: 3, sentence: "crashed (exit code 1)" }];
    expect(restartContext({ ...QUIET, reason: "resume", untold })).toContain(
      "- attempt 3: crashed (exit code 1)",
    );
  });

  it("C5: the message id is the attempt's and is read back from nothing else", () => {
    const id = "11111111-1111-4111-8111-111111111111";
    expect(attemptOfRestartContext(restartContextId(id, 12))).toBe(12);
    for (const other of [null, "", "restart-context:12", `x-restart-context:${id}:1`]) {
      expect(attemptOfRestartContext(other)).toBeNull();
    }
  });
});

describe("turns that a restart breaks off", () => {
  it("P6: the sentence names at most three of them and counts the rest", () => {
    const turns = ["a", "b", "c", "d"].map((title) => ({ title, from: "Bo" }));
    expect(withInterrupted("restarted by Ada", [])).toBe("restarted by Ada");
    expect(withInterrupted("restarted by Ada", turns)).toBe(
      "restarted by Ada; broken off: “a” from Bo, “b” from Bo, “c” from Bo and 1 more",
    );
  });

  it("P6: a title is one line of at most 80 characters", () => {
    expect(turnTitle(" Count\n to  ten ")).toBe("Count to ten");
    expect(turnTitle("x".repeat(200))).toHaveLength(80);
  });
});
