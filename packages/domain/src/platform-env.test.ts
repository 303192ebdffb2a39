import { expect, it } from "vitest";
import { isDecidedByPlatform } from "./platform-env.ts";

it("SE2 names of the platform hide a secret, those of model and provider too", () => {
  for (const name of ["WORKSPACE_ID", "HOME", "PORT", "AGENT_SECRET_NAMES"]) {
    expect(isDecidedByPlatform(name)).toBe(true);
  }
  for (const name of ["MODEL", "MODEL_PROVIDER", "LLM_PROVIDER"]) {
    expect(isDecidedByPlatform(name)).toBe(true);
  }
  expect(isDecidedByPlatform("OPENAI_API_KEY")).toBe(false);
});
