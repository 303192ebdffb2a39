import { describe, expect, it } from "vitest";
import { providerOfModel } from "./model-provider.ts";

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
});
