import type { OrgPreview } from "@molecule/contracts/orgs";
import { expect, test } from "vitest";
import { bringsText, needsOf, nodeText, planText, stillOpen, withTyped } from "./team-text.ts";

const counts = { total: 12, create: 10, exists: 2, leftOut: 0, startNow: 6, startLater: 4 };
const node: OrgPreview["nodes"][number] = {
  position: 0,
  parent: null,
  level: 0,
  name: "Lead",
  path: "Lead",
  role: null,
  runtime: "demo",
  tier: 2,
  model: null,
  template: null,
  action: "create",
  note: null,
  alike: [],
  workspaceId: null,
  needs: [],
  missing: [],
  starts: "now",
  secrets: [],
  files: 0,
  schedules: 0,
  memories: 0,
  channelsSkipped: 0,
  x: null,
  y: null,
};
const preview: OrgPreview = {
  org: "Acme",
  description: "",
  dir: null,
  requiredEnv: [],
  recommendedEnv: [],
  missing: [["A"], ["B", "C"]],
  missingRecommended: [["R"], ["A"]],
  counts,
  atOnce: 3,
  nodes: [
    { ...node, missing: [["A"], ["D"]] },
    { ...node, action: "exists", missing: [["E"]] },
  ],
  extra: [],
  notes: [],
};

test("says what would be made and what of it would start", () => {
  expect(planText(counts, 3)).toBe(
    "10 agents will be made, 2 are there already. 6 start, 3 at a time, 4 later.",
  );
  expect(planText({ ...counts, create: 1, exists: 0, startNow: 1, startLater: 0 }, 3)).toBe(
    "1 agent will be made. 1 starts at once.",
  );
  expect(planText({ ...counts, create: 0 }, 3)).toBe("Everything in it is there already.");
  expect(planText({ ...counts, create: 0, exists: 0, leftOut: 12 }, 3)).toBe(
    "None of its agents can be made.",
  );
});

test("says of each agent what becomes of it and what it brings", () => {
  expect(nodeText(node).text).toBe("starts");
  expect(nodeText({ ...node, starts: "lacks_key", missing: [["A"], ["B", "C"]] })).toEqual({
    text: "needs A, B or C",
    tone: "warn",
  });
  expect(nodeText({ ...node, action: "left_out" }).tone).toBe("danger");
  expect(bringsText(node)).toBeNull();
  expect(bringsText({ ...node, files: 3, memories: 1, secrets: ["K"] })).toBe(
    "with 3 files, 1 memory, 1 secret",
  );
});

test("lists each need once, what blocks the import first, and takes off what is typed", () => {
  const { blocking, ofSome, wished } = needsOf(preview);
  expect(blocking).toEqual([["A"], ["B", "C"]]);
  expect(ofSome).toEqual([["D"]]);
  expect(wished).toEqual([["R"]]);
  expect(stillOpen(blocking, { A: "  ", C: "v" })).toEqual([["A"]]);
});

test("shows the plan as it will be once the typed keys are saved", () => {
  const lacking = { ...node, starts: "lacks_key" as const, missing: [["A"], ["D"]] };
  const plan = {
    ...preview,
    counts: { ...counts, startNow: 0, startLater: 2 },
    nodes: [lacking, node],
  };
  const half = withTyped(plan, { A: "v" });
  expect(half.nodes[0]).toMatchObject({ starts: "lacks_key", missing: [["D"]] });
  const whole = withTyped(plan, { A: "v", D: "v" });
  expect(whole.nodes[0]).toMatchObject({ starts: "now", missing: [] });
  expect(whole.counts).toMatchObject({ startNow: 1, startLater: 1 });
});
