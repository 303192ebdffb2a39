import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { expect, test } from "vitest";
import { changedConfigurations, changedLedgers } from "./stale-parts.ts";

const node = (id: string, over: Partial<WorkspaceNode> = {}) =>
  ({
    id,
    configVersion: 1,
    desiredGen: 1,
    appliedGen: 1,
    effectiveModel: "a",
    ...over,
  }) as WorkspaceNode;

test("a heartbeat, a task and a move make nothing stale", () => {
  const before = { a: node("a") };
  expect(changedConfigurations(before, { a: node("a", { activeTasks: 1, x: 5 }) })).toEqual([]);
});

test("a save, and the restart that applies it, make the configuration stale", () => {
  const before = { a: node("a"), b: node("b") };
  const saved = { a: node("a", { desiredGen: 2 }), b: before.b };
  expect(changedConfigurations(before, saved)).toEqual(["a"]);
  expect(changedConfigurations(saved, { a: node("a", { desiredGen: 2, appliedGen: 2 }) })).toEqual([
    "a",
  ]);
});

test("a workspace that was not known has nothing cached to be stale", () => {
  expect(changedConfigurations({}, { a: node("a") })).toEqual([]);
});

test("a start, its end and a status make the ledger stale; its stages and a heartbeat do not", () => {
  const open = { no: 2, stage: "queued", outcome: null, detail: { merged: [], absorbed: [] } };
  const starting = (over: object) =>
    node("a", { status: "provisioning", attempt: { ...open, ...over } as never });
  const from = (before: WorkspaceNode, now: WorkspaceNode) =>
    changedLedgers({ a: before }, { a: now });
  const online = node("a", { status: "online", attempt: null });
  expect(from(online, { ...online, activeTasks: 1 })).toEqual([]);
  expect(from(online, starting({}))).toEqual(["a"]);
  expect(from(starting({}), starting({ stage: "creating" }))).toEqual([]);
  expect(from(starting({}), starting({ outcome: "ready" }))).toEqual(["a"]);
  const asked = { merged: [], absorbed: ["restarted by Ada"] };
  expect(from(starting({}), starting({ detail: asked }))).toEqual(["a"]);
});
