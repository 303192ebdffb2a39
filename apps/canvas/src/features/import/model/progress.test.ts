import type { OrgImportView } from "@molecule/contracts/orgs";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { expect, test } from "vitest";
import { progressRows, startable } from "./progress.ts";

type ImportNode = OrgImportView["nodes"][number];
const made = (position: number, given: Partial<ImportNode> = {}): ImportNode => ({
  position,
  parent: position === 0 ? null : 0,
  level: position === 0 ? 0 : 1,
  name: `N${position}`,
  path: `N${position}`,
  outcome: "created",
  note: null,
  workspaceId: `w${position}`,
  status: "provisioning",
  isWaiting: false,
  missing: [],
  ...given,
});
const node = (status: WorkspaceNode["status"], failure: object | null = null) =>
  ({ status, failure }) as unknown as WorkspaceNode;

test("an agent that is made speaks for itself, fresher than the answer", () => {
  const nodes = [
    made(0, { missing: ["K"] }),
    made(1, { isWaiting: true }),
    made(2, { isWaiting: true }),
    made(3),
    made(4),
  ];
  const byId = {
    w0: node("online"),
    w1: node("provisioning"),
    w2: node("online"),
    w3: node("failed", { sentence: "Its image is not there.", missing: undefined }),
  };
  const rows = progressRows({ nodes, state: "starting" }, byId);
  expect(rows.map(({ text }) => text)).toEqual([
    null,
    null,
    null,
    "Its image is not there.",
    "Deleted since",
  ]);
  expect(rows.map(({ isWaiting }) => isWaiting)).toEqual([false, true, false, false, false]);
  expect(rows.map(({ help }) => help)).toEqual([null, null, null, "retry", null]);
  expect(rows[0]?.missing, "what runs lacks nothing").toEqual([]);
});

test("one that is not made is named with its reason and the way to have it made", () => {
  const nodes = [
    made(0, { outcome: "failed", note: "Its name is taken.", workspaceId: null }),
    made(1, { outcome: "left_out", note: "Its runtime is unknown.", workspaceId: null }),
    made(2, { outcome: "planned", workspaceId: null }),
  ];
  const rows = progressRows({ nodes, state: "making" }, {});
  expect(rows.map(({ text, help }) => [text, help])).toEqual([
    ["Its name is taken.", "import-again"],
    ["Its runtime is unknown.", null],
    ["Not made yet", null],
  ]);
  const [, , broken] = progressRows({ nodes, state: "stopped" }, {});
  expect(broken).toMatchObject({ isProblem: true, help: "import-again" });
});

test("a paused team is started at its top", () => {
  const nodes = [made(0), made(1), made(2, { level: 0, parent: null })];
  const paused = node("paused", { missing: ["K"] });
  const rows = progressRows(
    { nodes, state: "done" },
    { w0: paused, w1: paused, w2: node("online") },
  );
  expect(startable(rows).map(({ name }) => name)).toEqual(["N0"]);
  expect(rows[0]?.missing).toEqual(["K"]);
});
