import type { TemplateView } from "@molecule/contracts/workspaces";
import { describe, expect, it } from "vitest";
import {
  type Draft,
  draftProblem,
  EXTERNAL,
  freeName,
  missingKeys,
  orderedTemplates,
  toInput,
} from "./draft.ts";

const template = (id: string, requiredEnv: string[] = [], broken: string | null = null) =>
  ({ id, requiredEnv, broken }) as TemplateView;
const draft: Draft = {
  templateId: "coder",
  name: null,
  role: "",
  model: null,
  keys: {},
  parentId: null,
  tier: null,
  backend: null,
  prompt: "",
};

describe("the create sheet", () => {
  it("offers templates that work without a new key first, and no broken ones", () => {
    const all = [template("coder", ["K"]), template("bad", [], "why"), template("demo")];
    expect(orderedTemplates(all, []).map((each) => each.id)).toEqual(["demo", "coder"]);
    expect(orderedTemplates(all, ["K"]).map((each) => each.id)).toEqual(["coder", "demo"]);
  });

  it("says exactly which key is missing before anything is created", () => {
    const missing = missingKeys(template("coder", ["A", "B"]), ["A"]);
    expect(missing).toEqual(["B"]);
    expect(draftProblem(draft, "Coder", missing)).toMatchObject({ field: "key:B" });
    expect(draftProblem({ ...draft, keys: { B: "x" } }, "Coder", missing)).toBeNull();
  });

  it("prefills a name that no agent has", () => {
    expect(freeName("Coder", [])).toBe("Coder");
    expect(freeName("Coder", ["coder", "Coder 2"])).toBe("Coder 3");
  });

  it("sends nothing of a runtime for an agent that runs elsewhere", () => {
    const input = toInput(
      { ...draft, templateId: EXTERNAL, model: "m", tier: 3, backend: "docker", keys: { A: "x" } },
      "Mine",
      { x: 1, y: 2 },
    );
    expect(input).toMatchObject({
      runtime: "external",
      template: null,
      model: null,
      backend: null,
      secrets: null,
    });
  });

  it("refuses a name that the platform refuses", () => {
    expect(draftProblem(draft, "a|b", [])).toMatchObject({ field: "name" });
  });
});
