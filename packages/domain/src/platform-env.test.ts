import { expect, it } from "vitest";
import { isDecidedByPlatform } from "./platform-env.ts";

const none = { model: null, provider: null };

it("SE2 names of the platform hide a secret, those of model and provider where one is chosen", () => {
  for (const name of ["WORKSPACE_ID", "HOME", "PORT", "AGENT_SECRET_NAMES"]) {
    expect(isDecidedByPlatform(name, none)).toBe(true);
  }
  for (const name of ["MODEL", "MODEL_PROVIDER"]) {
    expect(isDecidedByPlatform(name, none)).toBe(false);
    expect(isDecidedByPlatform(name, { ...none, model: "m" })).toBe(true);
  }
  expect(isDecidedByPlatform("LLM_PROVIDER", { model: "m", provider: null })).toBe(false);
  expect(isDecidedByPlatform("LLM_PROVIDER", { model: null, provider: "p" })).toBe(true);
  expect(isDecidedByPlatform("OPENAI_API_KEY", { model: "m", provider: "p" })).toBe(false);
});
