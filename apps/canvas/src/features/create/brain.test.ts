import type { TemplateView } from "@molecule/contracts/workspaces";
import { describe, expect, it } from "vitest";
import { brainOf, needText, openNeeds } from "./brain.ts";

const model = (id: string, ...keys: string[][]) => ({ id, name: id, keys });
const TEMPLATE: TemplateView = {
  id: "coder",
  name: "Coder",
  description: "",
  runtime: "claude-code",
  tier: 2,
  model: "sonnet",
  provider: null,
  providers: [
    {
      provider: "anthropic",
      isInferred: false,
      keys: [["ANTHROPIC_API_KEY"]],
      models: [model("opus", ["ANTHROPIC_API_KEY"]), model("sonnet", ["ANTHROPIC_API_KEY"])],
    },
    { provider: "minimax", isInferred: false, keys: [["MINIMAX_API_KEY", "TOKEN"]], models: [] },
    { provider: null, isInferred: false, keys: [], models: [model("local")] },
  ],
  requiredEnv: ["ANTHROPIC_API_KEY"],
  starterPrompts: [],
  broken: null,
  isImported: false,
};
const NOTHING = { provider: null, model: null };

describe("what a new agent thinks with", () => {
  it("begins with the template's model and the provider that has it", () => {
    expect(brainOf(TEMPLATE, NOTHING)).toMatchObject({
      provider: "anthropic",
      model: "sonnet",
      isListed: true,
      needs: [["ANTHROPIC_API_KEY"]],
    });
  });

  it("offers the models of the chosen provider, and asks for the keys of the pair", () => {
    const minimax = brainOf(TEMPLATE, { provider: "minimax", model: null });
    expect(minimax).toMatchObject({ models: [], model: "", isListed: false });
    expect(minimax.needs).toEqual([["MINIMAX_API_KEY", "TOKEN"]]);
    const unknown = brainOf(TEMPLATE, { provider: "", model: null });
    expect(unknown).toMatchObject({ provider: "", model: "local", needs: [] });
  });

  it("takes a model that is not listed with its provider's keys", () => {
    const typed = brainOf(TEMPLATE, { provider: "anthropic", model: "claude-9" });
    expect(typed).toMatchObject({ model: "claude-9", isListed: false });
    expect(typed.needs).toEqual([["ANTHROPIC_API_KEY"]]);
  });

  it("has no provider to choose where nobody names one", () => {
    const demo = { ...TEMPLATE, providers: TEMPLATE.providers.slice(2), model: "local" };
    expect(brainOf(demo, NOTHING)).toMatchObject({ providers: [], provider: "", model: "local" });
    const bare = { ...TEMPLATE, providers: [], model: "" };
    expect(brainOf(bare, NOTHING)).toMatchObject({
      providers: [],
      model: "",
      needs: [["ANTHROPIC_API_KEY"]],
    });
  });

  it("leaves open what no set key meets; one of several is enough", () => {
    const needs = [["A", "B"], ["C"]];
    expect(openNeeds(needs, ["B"])).toEqual([["C"]]);
    expect(openNeeds(needs, []).map(needText)).toEqual(["A or B", "C"]);
  });
});
