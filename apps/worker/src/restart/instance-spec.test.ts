import { RUNTIMES } from "@molecule/domain/sets";
import { expect, it } from "vitest";
import { specOf } from "./instance-spec.ts";

const CONTENT = {
  workspaceId: "ws-1",
  attemptNo: 1,
  createToken: "t",
  name: "Ann",
  runtime: "claude-code",
  tier: 2,
  model: "sonnet",
  provider: null,
  env: {},
  files: [],
  removedFiles: [],
};

it("names the workspace's secrets, so that the runtime gives its agent those and nothing else", () => {
  const { env } = specOf({ ...CONTENT, env: { STRIPE_KEY: "s", ANTHROPIC_API_KEY: "k" } });
  expect(env).toEqual({
    ANTHROPIC_API_KEY: "k",
    STRIPE_KEY: "s",
    AGENT_SECRET_NAMES: "ANTHROPIC_API_KEY,STRIPE_KEY",
    AGENT_ADAPTER: "claude-code",
    MODEL: "sonnet",
    MODEL_PROVIDER: "sonnet",
  });
});

it("lets no secret take the place of what the platform sets", () => {
  const { env } = specOf({
    ...CONTENT,
    env: { AGENT_SECRET_NAMES: "DATABASE_URL", MODEL: "other", AGENT_ADAPTER: "demo" },
  });
  expect(env).toMatchObject({ MODEL: "sonnet", AGENT_ADAPTER: "claude-code" });
  expect(env.AGENT_SECRET_NAMES).toBe("");
});

it("takes a model or provider that nobody chose from no secret: unknown stays unknown", () => {
  const secrets = { MODEL: "m", MODEL_PROVIDER: "m", LLM_PROVIDER: "p", KEY: "k" };
  const { env } = specOf({ ...CONTENT, model: null, env: secrets });
  expect(env).toEqual({ KEY: "k", AGENT_SECRET_NAMES: "KEY", AGENT_ADAPTER: "claude-code" });
});

it.each(RUNTIMES)(
  "tells the runtime %s the model and the provider, and no unknown one",
  (runtime) => {
    const told = specOf({ ...CONTENT, runtime, model: "acme/m", provider: "acme" }).env;
    expect(told).toMatchObject({ MODEL: "acme/m", MODEL_PROVIDER: "acme/m", LLM_PROVIDER: "acme" });
    const { env } = specOf({ ...CONTENT, runtime, model: "acme/m" });
    expect(env.MODEL).toBe("acme/m");
    expect(env).not.toHaveProperty("LLM_PROVIDER");
  },
);

it("PL5: a script of a plugin can be run as it is, and nothing else can", () => {
  const file = (path: string, text: string, isSecret = false) => ({
    path,
    content: new TextEncoder().encode(text),
    isSecret,
    managedSha256: null,
  });
  const { files } = specOf({
    ...CONTENT,
    files: [
      file("plugins/tools/bin/run", "#!/bin/sh\n"),
      file("plugins/tools/plugin.yaml", "name: tools\n"),
      file("run", "#!/bin/sh\n"),
      file("plugins/tools/key", "#!", true),
    ],
  });
  expect(files.map(({ mode }) => mode)).toEqual([0o755, 0o644, 0o644, 0o600]);
});
