import type { AttemptView, MergedChange, WorkspaceNode } from "@molecule/contracts/workspaces";
import { STAGES } from "@molecule/domain/sets";
import { describe, expect, it } from "vitest";
import { cardLine, isRetrying } from "./card-line.ts";
import { describeChanges } from "./describe-changes.ts";
import { modelLabel } from "./model-label.ts";
import { progressOf } from "./progress.ts";
import { statusView, worstTone } from "./status-view.ts";

const BEGUN = Date.parse("2030-01-01T00:00:00Z");
const at = (seconds: number) => new Date(BEGUN + seconds * 1000).toISOString();

function attempt(more: Partial<AttemptView> = {}): AttemptView {
  return {
    no: 1,
    reason: "create",
    detail: { sentence: "created by Ana", merged: [], absorbed: [] },
    actor: { kind: "member", name: "Ana" },
    stage: "queued",
    stages: [{ stage: "queued", at: at(0) }],
    expectedMs: 8_000,
    outcome: null,
    failure: null,
    createdAt: at(0),
    readyAt: null,
    endedAt: null,
    ...more,
  };
}

function node(more: Partial<WorkspaceNode> = {}): WorkspaceNode {
  return {
    id: "a",
    status: "online",
    phase: "READY",
    attempt: null,
    pending: null,
    failure: null,
    retryAt: null,
    pausedBy: null,
    pausedAt: null,
    activeTasks: 0,
    currentTask: "",
    currentTaskAt: null,
    lastActivity: null,
    errorRate: 0,
    sampleError: "",
    ...more,
  } as WorkspaceNode;
}

const change = (more: Partial<MergedChange>): MergedChange => ({
  kind: "file",
  count: 1,
  names: ["notes.md"],
  actors: ["Ana"],
  from: at(0),
  to: at(0),
  ...more,
});

describe("the bar of a start", () => {
  it("never goes backwards through all stages", () => {
    let last = -1;
    STAGES.forEach((stage, index) => {
      const stages = STAGES.slice(0, index + 1).map((each, i) => ({ stage: each, at: at(i * 4) }));
      for (const second of [0, 1, 2, 3.9]) {
        const now = BEGUN + (index * 4 + second) * 1000;
        const fraction = progressOf(attempt({ stage, stages }), now)?.fraction ?? -1;
        expect(fraction).toBeGreaterThanOrEqual(last);
        last = fraction;
      }
    });
    expect(last).toBeLessThan(1);
  });

  it("says slow only past one and a half times the usual", () => {
    expect(progressOf(attempt(), BEGUN + 11_900)?.isSlow).toBe(false);
    expect(progressOf(attempt(), BEGUN + 12_100)?.isSlow).toBe(true);
    expect(progressOf(attempt({ expectedMs: null }), BEGUN + 900_000)?.isSlow).toBe(false);
  });

  it("tells what a stage that takes long is doing, and nothing of a stage that is over", () => {
    const stages = [
      { stage: "queued" as const, at: at(0) },
      { stage: "preparing" as const, at: at(1), progress: "Installing the agent: 40 packages" },
    ];
    const shown = (stage: "preparing" | "creating") =>
      progressOf(attempt({ stage, stages }), BEGUN + 5_000)?.detail;
    expect(shown("preparing")).toBe("Installing the agent: 40 packages");
    expect(shown("creating")).toBeNull();
  });

  it("is gone when the attempt ended", () => {
    expect(progressOf(attempt({ outcome: "ready" }), BEGUN)).toBeNull();
  });
});

describe("what a card says", () => {
  it("tells apart what takes no messages and what a message wakes", () => {
    const lineOf = (status: "paused" | "hibernated") =>
      cardLine(node({ status, phase: "PAUSED", pausedBy: "Ada" }), BEGUN, null);
    expect(lineOf("paused")).toMatchObject({ kind: "paused", by: "Ada" });
    expect(lineOf("hibernated")).toMatchObject({ kind: "asleep", by: "Ada" });
  });

  it("names the failure before anything else", () => {
    const failure = {
      code: "image_unavailable" as const,
      sentence: "No image.",
      next: "Check it.",
    };
    const line = cardLine(
      node({ status: "failed", phase: "FAILED", failure, currentTask: "x" }),
      BEGUN,
      null,
    );
    expect(line).toMatchObject({ kind: "failure", sentence: "No image." });
  });

  it("gives a sentence even when a failure came without one", () => {
    const line = cardLine(node({ status: "failed", phase: "FAILED" }), BEGUN, null);
    expect(line.kind === "failure" && line.sentence.length).toBeGreaterThan(0);
  });

  it("gives the reason of a restart, but not of the first start", () => {
    const open = node({ status: "provisioning", phase: "BOOTING" });
    expect(cardLine({ ...open, attempt: attempt() }, BEGUN, null)).toMatchObject({ reason: null });
    const restart = attempt({
      reason: "settings",
      detail: { sentence: "model changed", merged: [], absorbed: [] },
    });
    expect(cardLine({ ...open, attempt: restart }, BEGUN, null)).toMatchObject({
      reason: "model changed",
    });
  });

  it("counts down to a pending restart and says when nothing is due", () => {
    const pending = {
      merged: [change({})],
      policy: "settle" as const,
      dueAt: at(12),
      isWaitingForTurns: false,
      waitsUntil: null,
    };
    expect(cardLine(node({ pending }), BEGUN, "Ana")).toMatchObject({
      wait: "countdown",
      sentence: "1 file changed by you",
    });
    expect(cardLine(node({ pending: { ...pending, dueAt: null } }), BEGUN, null)).toMatchObject({
      wait: "held",
    });
  });

  it("does not name protocol calls", () => {
    const lastActivity = { summary: "message/stream → Ana", at: at(30) };
    expect(cardLine(node({ lastActivity }), BEGUN, null)).toMatchObject({
      summary: "Answered a message",
    });
  });

  it("keeps saying why it restarted until something newer happened", () => {
    const done = attempt({ reason: "settings", outcome: "ready", readyAt: at(8) });
    expect(cardLine(node({ attempt: done }), BEGUN + 60_000, null)).toMatchObject({
      kind: "restarted",
      tookMs: 8_000,
    });
    const lastActivity = { summary: "replied", at: at(30) };
    expect(cardLine(node({ attempt: done, lastActivity }), BEGUN + 60_000, null).kind).toBe("last");
    expect(cardLine(node({ attempt: done }), BEGUN + 3_600_000, null).kind).toBe("quiet");
  });
});

describe("a status", () => {
  it("tells a restart from a first start", () => {
    expect(statusView(node({ status: "provisioning", attempt: attempt() })).word).toBe("Starting");
    const waits = node({ status: "provisioning", phase: "NEW", waitsForTurn: true });
    expect(statusView(waits).word).toBe("Waiting for its turn");
    const restart = attempt({ reason: "user" });
    expect(statusView(node({ status: "provisioning", attempt: restart })).word).toBe("Restarting");
  });

  it("is busy only while the agent runs", () => {
    expect(statusView(node({ activeTasks: 1 })).isBusy).toBe(true);
    expect(statusView(node({ activeTasks: 1, status: "paused" })).isBusy).toBe(false);
  });

  it("of a team is its worst", () => {
    expect(worstTone(["online", "failed", "paused"])).toBe("failed");
    expect(worstTone([])).toBeNull();
  });
});

describe("changes as a phrase", () => {
  it("say you where the reader made them", () => {
    const merged = [
      change({ kind: "setting", names: ["model"] }),
      change({ kind: "secret", names: ["OPENAI_KEY"], actors: ["Ben"] }),
    ];
    expect(describeChanges(merged, "Ana")).toBe("model and OPENAI_KEY changed by you and Ben");
  });
});

describe("the model line", () => {
  it("shows the coming model beside the running one, never instead of it", () => {
    const label = (effectiveModel: string | null, desiredModel: string | null, appliedGen = 1) =>
      modelLabel({ effectiveModel, desiredModel, appliedGen, backend: "process" });
    expect(label("opus", "sonnet")).toEqual({ current: "opus", next: "sonnet" });
    expect(label("opus", "opus")).toEqual({ current: "opus", next: null });
    expect(label(null, "sonnet", 0)).toEqual({ current: "sonnet", next: null });
    expect(label("opus", null)).toEqual({ current: "opus", next: "the runtime's default" });
    expect(label(null, "sonnet")).toEqual({ current: null, next: "sonnet" });
    const external = { effectiveModel: null, desiredModel: "sonnet", appliedGen: 1 } as const;
    expect(modelLabel({ ...external, backend: "external" }).current).toBe("sonnet");
  });
});

it("tries can be stopped while the next one is waited for, and not while a step is repeated", () => {
  expect(isRetrying(node({ phase: "BACKOFF", retryAt: at(40) }))).toBe(true);
  expect(isRetrying(node({ phase: "STOPPING", retryAt: at(40) }))).toBe(false);
  expect(isRetrying(node({ phase: "FAILED" }))).toBe(false);
});
