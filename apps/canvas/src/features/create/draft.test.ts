import type { TemplateView } from "@molecule/contracts/workspaces";
import { describe, expect, it } from "vitest";
import type { Brain } from "./brain.ts";
import {
  brokenTemplates,
  type Draft,
  draftProblem,
  EXTERNAL,
  freeName,
  missingKeys,
  orderedTemplates,
  searchTemplates,
  toInput,
} from "./draft.ts";

const template = (id: string, requiredEnv: string[] = [], broken: string | null = null) =>
  ({
    id,
    requiredEnv,
    broken,
    provider: null,
    providers: [],
    model: "",
  }) as unknown as TemplateView;
const named = (id: string, name: string, runtime: string, model: string) =>
  ({
    ...template(id),
    name,
    description: "",
    runtime,
    providers: [
      {
        provider: null,
        isInferred: false,
        keys: [],
        models: [{ id: model, name: model, keys: [] }],
      },
    ],
  }) as TemplateView;
const SEARCHED = [
  named("clerk", "Night clerk", "demo", "demo-1"),
  named("coder", "Coder", "claude-code", "opus"),
];
const brain: Brain = {
  providers: [],
  provider: "",
  isInferred: false,
  models: [],
  model: "m",
  isListed: false,
  needs: [["B", "C"]],
};
const draft: Draft = {
  templateId: "coder",
  name: null,
  role: "",
  provider: null,
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
    expect(brokenTemplates(all).map((each) => [each.id, each.broken])).toEqual([["bad", "why"]]);
  });

  it("finds templates by every word of what is shown of them", () => {
    const found = (search: string) => searchTemplates(SEARCHED, search).map(({ id }) => id);
    expect(found("")).toEqual(["clerk", "coder"]);
    expect(found(" NIGHT  demo ")).toEqual(["clerk"]);
    expect(found("opus")).toEqual(["coder"]);
    expect(found("night opus")).toEqual([]);
  });

  it("says exactly which key is missing before anything is created", () => {
    expect(missingKeys(template("coder", ["A", "B"]), ["A"])).toEqual(["B"]);
    const missing = [["B", "C"]];
    expect(draftProblem(draft, "Coder", brain, missing)).toMatchObject({
      field: "key:B",
      sentence: "This agent cannot start without B or C.",
    });
    expect(draftProblem({ ...draft, keys: { C: "x" } }, "Coder", brain, missing)).toBeNull();
  });

  it("asks for a model where the chosen provider lists none", () => {
    const provider = { provider: "xai", isInferred: false, keys: [], models: [] };
    const open = { ...brain, providers: [provider], provider: "xai", model: " " };
    expect(draftProblem(draft, "Coder", open, [])).toMatchObject({ field: "model" });
    expect(draftProblem(draft, "Coder", { ...open, providers: [] }, [])).toBeNull();
  });

  it("sends the provider and the model that it shows", () => {
    const shown = { ...brain, provider: "xai", model: "grok-1 " };
    expect(toInput(draft, "Mine", shown, { x: 1, y: 2 })).toMatchObject({
      provider: "xai",
      model: "grok-1",
    });
    const none = toInput(draft, "Mine", { ...brain, model: "" }, { x: 1, y: 2 });
    expect(none).toMatchObject({ provider: null, model: null });
  });

  it("prefills a name that no agent has", () => {
    expect(freeName("Coder", [])).toBe("Coder");
    expect(freeName("Coder", ["coder", "Coder 2"])).toBe("Coder 3");
  });

  it("sends nothing of a runtime for an agent that runs elsewhere", () => {
    const input = toInput(
      { ...draft, templateId: EXTERNAL, model: "m", tier: 3, backend: "docker", keys: { A: "x" } },
      "Mine",
      brain,
      { x: 1, y: 2 },
    );
    expect(input).toMatchObject({
      runtime: "external",
      template: null,
      provider: null,
      model: null,
      backend: null,
      secrets: null,
    });
  });

  it("refuses a name that the platform refuses", () => {
    expect(draftProblem(draft, "a|b", null, [])).toMatchObject({ field: "name" });
  });
});
