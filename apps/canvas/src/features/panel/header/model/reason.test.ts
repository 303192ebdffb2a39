import type { AttemptView } from "@molecule/contracts/workspaces";
import { expect, test } from "vitest";
import { attemptReason, restartedSentence } from "./reason.ts";

const attempt = (over: Partial<AttemptView>): AttemptView => ({
  no: 2,
  reason: "settings",
  detail: { sentence: "model changed by Ada", merged: [], absorbed: [] },
  actor: { kind: "member", name: "Ada" },
  stage: null,
  stages: [],
  expectedMs: null,
  outcome: "ready",
  failure: null,
  createdAt: "2026-01-01T00:00:00Z",
  readyAt: "2026-01-01T00:00:08Z",
  endedAt: null,
  ...over,
});
const merged = [
  {
    kind: "setting" as const,
    count: 1,
    names: ["model"],
    actors: ["Ada"],
    from: "2026-01-01T00:00:00Z",
    to: "2026-01-01T00:00:00Z",
  },
  {
    kind: "file" as const,
    count: 17,
    names: ["a.md"],
    actors: ["Ada"],
    from: "2026-01-01T00:00:00Z",
    to: "2026-01-01T00:00:00Z",
  },
];

test("the reader's own changes are theirs", () => {
  const detail = { sentence: "…", merged, absorbed: [] };
  expect(attemptReason(attempt({ detail }), "Ada")).toBe("model and 17 files changed by you");
  expect(attemptReason(attempt({ detail }), "Bob")).toBe("model and 17 files changed by Ada");
});

test("a click keeps its own sentence, also when it carried changes", () => {
  const detail = { sentence: "restarted by Ada, with model changed", merged, absorbed: [] };
  const reason = attemptReason(attempt({ reason: "user", detail }), "Ada");
  expect(reason).toBe("restarted by you, with model changed");
});

test("the bar reads as one sentence for changes and for clicks", () => {
  expect(restartedSentence("model changed by you", "2 min ago")).toEqual({
    lead: "Restarted 2 min ago:",
    rest: "model changed by you.",
  });
  expect(restartedSentence("restarted by you", "just now")).toEqual({
    lead: "Restarted just now",
    rest: "by you.",
  });
});
