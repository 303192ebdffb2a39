import { describe, expect, it } from "vitest";
import { claudeEnv } from "./claude-env.ts";
import { explainClaudeFailure } from "./explain-failure.ts";

describe("the environment of the agent", () => {
  const make = (
    source: Record<string, string>,
    more: { secretNames?: string[]; isRoot?: boolean } = {},
  ) =>
    claudeEnv({
      source,
      homeDir: "/home/x",
      model: "anthropic/claude-1",
      secretNames: more.secretNames ?? [],
      isRoot: more.isRoot ?? false,
      toolTimeoutMs: 5,
    });

  it("holds what the agent needs and nothing that was not listed", () => {
    const env = make({
      PATH: "/bin",
      HOME: "/root",
      ANTHROPIC_API_KEY: "k",
      PLATFORM_URL: "http://x",
      WORKSPACE_ID: "w",
      DATABASE_URL: "postgres://",
      STRIPE_KEY: "s",
    });
    expect(env).toEqual({
      PATH: "/bin",
      HOME: "/home/x",
      ANTHROPIC_API_KEY: "k",
      ANTHROPIC_MODEL: "claude-1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_MAX_RETRIES: "1",
      MCP_TOOL_TIMEOUT: "5",
      NO_BROWSER: "1",
    });
  });

  it("holds the workspace's own secrets, but never what loads code or opens the platform", () => {
    const source = { STRIPE_KEY: "s", NODE_OPTIONS: "--x", LD_PRELOAD: "x", ADMIN_TOKEN: "t" };
    const env = make(source, { secretNames: Object.keys(source) });
    expect(env.STRIPE_KEY).toBe("s");
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(["NODE_OPTIONS"]));
    for (const name of ["NODE_OPTIONS", "LD_PRELOAD", "ADMIN_TOKEN"])
      expect(env[name]).toBeUndefined();
  });

  it("tells a root agent that it is in a sandbox, so that it works without asking", () => {
    expect(make({}, { isRoot: true }).IS_SANDBOX).toBe("1");
    expect(make({}).IS_SANDBOX).toBeUndefined();
  });
});

describe("a failed prompt", () => {
  const acpError = (code: number, errorKind?: string) =>
    Object.assign(new Error("API Error: internal text"), { code, data: { errorKind } });

  it.each([
    [acpError(-32000), "failed", "ANTHROPIC_API_KEY", true],
    [acpError(-32603, "model_not_found"), "failed", '"m-1"', false],
    [acpError(-32603, "rate_limit"), "failed", "limiting", false],
    [acpError(-32603, "billing_error"), "failed", "billing", false],
    [acpError(-32603, "unknown"), "failed", "refused", false],
    [acpError(-32603, "transport_lost"), "lost", "process ended", false],
    [acpError(-32002), "lost", "process ended", false],
    [new Error("ACP connection closed"), "lost", "process ended", false],
  ])("is explained without the provider's own text (%#)", (error, kind, text, isCredentials) => {
    const failure = explainClaudeFailure(error, "m-1");
    expect(failure).toMatchObject({ kind, isCredentials });
    expect(failure.sentence).toContain(text);
    expect(failure.sentence).not.toContain("internal text");
  });
});
