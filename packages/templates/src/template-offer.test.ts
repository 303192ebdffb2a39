import { describe, expect, it } from "vitest";
import { offerRow } from "./template-offer.ts";

describe("what a template offers, on the wire", () => {
  it("has both shapes of providers as they are written; a null is absent", () => {
    const extra = {
      providers: [
        {
          name: "anthropic",
          auth_mode: "api_key",
          base_url: null,
          auth_env: ["ANTHROPIC_API_KEY"],
        },
      ],
      runtime_config: {
        providers: ["anthropic", "xai"],
        models: [{ id: "sonnet", name: null, required_env: ["ANTHROPIC_API_KEY"] }],
      },
    };
    expect(offerRow(extra)).toEqual({
      models: [{ id: "sonnet", required_env: ["ANTHROPIC_API_KEY"] }],
      providers: ["anthropic", "xai"],
      provider_registry: [
        { name: "anthropic", auth_mode: "api_key", auth_env: ["ANTHROPIC_API_KEY"] },
      ],
    });
  });

  it("M6: has the providers of its models' prefixes, marked, where it names none", () => {
    const models = [{ id: "qwen/a" }, { id: "acme/b" }, { id: "openai/c" }, { id: "plain" }];
    expect(offerRow({ runtime_config: { models } })).toEqual({
      models,
      providers: ["alibaba", "openrouter"],
      providers_inferred: true,
    });
    expect(offerRow({ runtime_config: { models: [{ id: "plain" }] } })).toEqual({
      models: [{ id: "plain" }],
    });
    expect(offerRow({})).toEqual({});
  });
});
