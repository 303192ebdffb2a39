import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { expect, test } from "vitest";
import { cardLine } from "./card-line.ts";

const failure = {
  code: "missing_required_key",
  sentence: "The key API_KEY is not set, and this agent cannot start without it.",
  next: "Enter API_KEY under Configure; the agent then starts by itself.",
  missing: ["API_KEY"],
};
const running = {
  status: "online",
  phase: "READY",
  retryAt: null,
  failure,
  pending: { merged: [], policy: "settle", dueAt: null, isWaitingForTurns: false },
  attempt: null,
  lastActivity: null,
  activeTasks: 0,
  currentTask: "",
} as unknown as WorkspaceNode;

test("what runs and cannot start anew names the key; without anything pending it says nothing of it", () => {
  expect(cardLine(running, 0, null)).toMatchObject({ kind: "failure", sentence: failure.sentence });
  expect(cardLine({ ...running, pending: null }, 0, null).kind).toBe("quiet");
});
