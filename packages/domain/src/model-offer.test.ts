import { describe, expect, it } from "vitest";
import { providerChoices, readOffer, requiredKeys, unmetNeeds } from "./model-offer.ts";

const choicesOf = (extra: Record<string, unknown>) =>
  providerChoices(readOffer(extra)).map(({ provider, isInferred, models }) => [
    provider,
    isInferred,
    models.map(({ id }) => id),
  ]);
const models = (...ids: string[]) => ids.map((id) => ({ id }));
const REGISTRY = [
  { name: "anthropic", model_aliases: ["sonnet"], auth_env: ["ANTHROPIC_API_KEY"] },
  {
    name: "minimax",
    model_prefixes: ["MiniMax-"],
    model_aliases: null,
    base_url: null,
    auth_env: ["MINIMAX_API_KEY", "ANTHROPIC_AUTH_TOKEN"],
  },
];

describe("the providers of an offer", () => {
  it("M6: are those of the registry, each with the models that its names and prefixes claim", () => {
    const extra = {
      providers: REGISTRY,
      runtime_config: { models: models("sonnet", "MiniMax-M2", "minimax/m1", "other") },
    };
    expect(choicesOf(extra)).toEqual([
      ["anthropic", false, ["sonnet"]],
      ["minimax", false, ["MiniMax-M2", "minimax/m1"]],
      [null, false, ["other"]],
    ]);
  });

  it("M6: are those of the list after those of the registry, each once", () => {
    const inner = { providers: ["xai", "anthropic", "xai"], models: models("grok/a", "sonnet") };
    expect(choicesOf({ providers: REGISTRY, runtime_config: inner })).toEqual([
      ["anthropic", false, ["sonnet"]],
      ["minimax", false, []],
      ["xai", false, ["grok/a"]],
    ]);
  });

  it("M6: are inferred from the models' prefixes where none are named; unknown stays unknown", () => {
    const inner = { models: models("qwen/a", "acme/b", "openai/c", "dashscope/d", "plain") };
    expect(choicesOf({ runtime_config: inner })).toEqual([
      ["alibaba", true, ["qwen/a", "dashscope/d"]],
      ["openrouter", true, ["openai/c"]],
      [null, false, ["acme/b", "plain"]],
    ]);
    expect(choicesOf({ runtime_config: { models: models("plain") } })).toEqual([
      [null, false, ["plain"]],
    ]);
    expect(choicesOf({})).toEqual([]);
  });

  it("M6: skip what is malformed in a configuration that runs already", () => {
    const extra = {
      providers: [3, { name: "" }, { name: "a", model_aliases: "x", auth_env: [1, "K"] }],
      runtime_config: {
        providers: "xai",
        models: [null, { name: "no id" }, { id: "b", name: "B" }],
      },
    };
    expect(readOffer(extra)).toEqual({
      models: [{ id: "b", name: "B", requiredEnv: null }],
      providers: [],
      registry: [{ name: "a", modelPrefixes: [], modelAliases: [], authEnv: ["K"] }],
    });
  });
});

describe("the keys of a pair", () => {
  const extra = {
    providers: REGISTRY,
    runtime_config: {
      models: [
        { id: "sonnet" },
        { id: "local", required_env: [] },
        { id: "x", required_env: ["X"] },
      ],
    },
  };
  const requiredEnv = ["ANTHROPIC_API_KEY", "GITHUB_TOKEN"];
  const keys = (model: string | null, provider: string | null) =>
    requiredKeys({ model, provider, requiredEnv, extra });

  it("M7: are one of the provider's own, and what belongs to no other provider or model", () => {
    expect(keys("MiniMax-M2", "minimax")).toEqual([
      ["MINIMAX_API_KEY", "ANTHROPIC_AUTH_TOKEN"],
      ["GITHUB_TOKEN"],
    ]);
  });

  it("M7: are the model's own where the provider names none", () => {
    expect(keys("x", null)).toEqual([["X"]]);
    expect(keys("x", "nobody")).toEqual([["X"]]);
    expect(keys("local", null)).toEqual([]);
  });

  it("M7: are the configuration's where neither says", () => {
    expect(keys("sonnet", null)).toEqual([["ANTHROPIC_API_KEY"], ["GITHUB_TOKEN"]]);
    expect(keys(null, null)).toEqual([["ANTHROPIC_API_KEY"], ["GITHUB_TOKEN"]]);
  });

  it("M7: one of several is enough", () => {
    const set = new Set(["ANTHROPIC_AUTH_TOKEN"]);
    const needs = keys("MiniMax-M2", "minimax");
    expect(unmetNeeds(needs, (key) => set.has(key))).toEqual([["GITHUB_TOKEN"]]);
  });

  it("OR5: are those of the team besides, whatever the model is, each once", () => {
    const extra = {
      providers: REGISTRY,
      team_required_env: ["TEAM", "GITHUB_TOKEN", { any_of: ["A", "B"] }, 7, {}],
    };
    const facts = { model: null, requiredEnv: ["GITHUB_TOKEN"], extra };
    expect(requiredKeys({ ...facts, provider: "anthropic" })).toEqual([
      ["ANTHROPIC_API_KEY"],
      ["GITHUB_TOKEN"],
      ["TEAM"],
      ["A", "B"],
    ]);
  });
});
