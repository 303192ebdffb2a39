import { describe, expect, it } from "vitest";
import { ACCEPTED_DIFFERENCES, CONTRACT_TABLE, HERMES_SCRIPT } from "./model-provider.fixture.ts";
import {
  choiceAfterTemplate,
  PROVIDER_OF_PREFIX,
  providerAfterModel,
  providerOfModel,
} from "./model-provider.ts";

/** The contract's table as prefix → provider. */
const contract = new Map(
  CONTRACT_TABLE.trim()
    .split("\n")
    .flatMap((line) => {
      const [prefixes = "", provider = ""] = line.split("|").slice(1);
      return prefixes.split(",").map((text) => {
        const prefix = text.trim();
        return [prefix, provider.trim() === "itself" ? prefix : provider.trim()] as const;
      });
    }),
);
const sorted = (table: ReadonlyMap<string, string>) =>
  [...table].sort(([a], [b]) => (a < b ? -1 : 1));

describe("the provider of a model", () => {
  it("M1: is the prefix where that is a provider's name", () => {
    expect(providerOfModel("anthropic/claude-sonnet")).toBe("anthropic");
    expect(providerOfModel("kimi-coding-cn/k2")).toBe("kimi-coding-cn");
    expect(providerOfModel("openrouter/a/b")).toBe("openrouter");
  });

  it("M2: is the name a prefix stands for", () => {
    const pairs = { qwen: "alibaba", grok: "xai", hf: "huggingface", openai: "openrouter" };
    for (const [prefix, provider] of Object.entries(pairs)) {
      expect(providerOfModel(`${prefix}/m`)).toBe(provider);
    }
  });

  it("M3: is none without a slash, for an unknown prefix and in another case", () => {
    for (const model of ["sonnet", "acme/m", "Anthropic/m", "/m", "", "constructor/m"]) {
      expect(providerOfModel(model)).toBeNull();
    }
  });

  it("M4: is the contract's for every prefix, and there is no other prefix", () => {
    expect(contract.size).toBe(45);
    expect(sorted(PROVIDER_OF_PREFIX)).toEqual(sorted(contract));
  });

  it("M4: is what an image's own script answers, and the script knows no other prefix", () => {
    const script = new Map(HERMES_SCRIPT.map(({ prefix, provider }) => [prefix, provider]));
    expect(script.size).toBe(HERMES_SCRIPT.length);
    expect(sorted(script)).toEqual(sorted(PROVIDER_OF_PREFIX));
  });

  it("M4: differs from a script by keys only where that is accepted, and there it does differ", () => {
    const byKeys = HERMES_SCRIPT.filter((row) => row.byKeys !== undefined);
    expect(byKeys.map((row) => row.prefix).sort()).toEqual([...ACCEPTED_DIFFERENCES].sort());
    for (const { prefix, byKeys: other } of byKeys) {
      expect(other?.provider).not.toBe(PROVIDER_OF_PREFIX.get(prefix));
    }
  });
});

describe("the provider after a change of the model", () => {
  it("M5: follows the model where it was derived", () => {
    const before = { model: "anthropic/a", provider: "anthropic" };
    expect(providerAfterModel(before, "grok/b")).toBe("xai");
    expect(providerAfterModel(before, "b")).toBeNull();
    expect(providerAfterModel(before, null)).toBeNull();
    expect(providerAfterModel({ model: "b", provider: null }, "qwen/c")).toBe("alibaba");
    expect(providerAfterModel({ model: null, provider: null }, "acme/c")).toBeNull();
  });

  it("M5: stays where somebody chose it", () => {
    expect(providerAfterModel({ model: "sonnet", provider: "anthropic" }, "openai/x")).toBe(
      "anthropic",
    );
    expect(providerAfterModel({ model: "openai/x", provider: "acme" }, "grok/y")).toBe("acme");
    // Taken away on purpose: nobody puts it back.
    expect(providerAfterModel({ model: "openai/x", provider: null }, "grok/y")).toBeNull();
  });
});

describe("model and provider after a template", () => {
  const from = { model: "demo-1", provider: null };
  const to = { model: "demo-2", provider: "acme" };

  it("M8: are the new one's where they were the former one's, or there were none", () => {
    expect(choiceAfterTemplate(from, { from, to })).toEqual(to);
    expect(choiceAfterTemplate({ model: null, provider: null }, { from: null, to })).toEqual(to);
  });

  it("M8: stay where somebody chose them, model or provider", () => {
    const model = { model: "mine", provider: null };
    const provider = { model: "demo-1", provider: "xai" };
    expect(choiceAfterTemplate(model, { from, to })).toEqual(model);
    expect(choiceAfterTemplate(provider, { from, to })).toEqual(provider);
    expect(choiceAfterTemplate(from, { from: null, to })).toEqual(from);
  });
});
