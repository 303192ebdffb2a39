import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { expect, test } from "vitest";
import { EMPTY_CONFIG_DRAFT } from "./config-draft.ts";
import type { StagedDraft } from "./staged-save.ts";
import { idsBelow, memberText, teamMember, teamSentence } from "./team-changes.ts";

const node = (id: string, over: object = {}) =>
  ({
    id,
    name: id,
    parentId: null,
    backend: "process",
    pending: null,
    activeTasks: 0,
    ...over,
  }) as WorkspaceNode;
const clean: StagedDraft = {
  config: EMPTY_CONFIG_DRAFT,
  files: {},
  secrets: {},
  plugins: {},
};
const edited: StagedDraft = { ...clean, config: { base: { model: "a" }, mine: { model: "b" } } };

test("a team is everybody below, at any depth", () => {
  const nodes = {
    a: node("a"),
    b: node("b", { parentId: "a" }),
    c: node("c", { parentId: "b" }),
    d: node("d"),
  };
  expect(idsBelow(nodes, "a").toSorted()).toEqual(["b", "c"]);
  expect(idsBelow(nodes, "d")).toEqual([]);
});

test("who has edits or held changes has something to apply", () => {
  const held = node("h", { pending: { policy: "hold" }, activeTasks: 2 });
  expect(teamMember(node("x"), clean)).toBeNull();
  expect(teamMember(node("x", { pending: { policy: "settle" } }), clean)).toBeNull();
  const one = teamMember(node("x"), edited);
  const two = teamMember(held, edited);
  expect([one, two].map((member) => member && memberText(member))).toEqual([
    "1 edit",
    "1 edit, and saved changes that do not run yet",
  ]);
  expect(teamSentence([one, two].flatMap((member) => member ?? []))).toBe(
    "2 agents · one restart each · 2 running tasks will wait",
  );
});
