import { access, readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import type { TurnEnd } from "@molecule/runtime-sdk/agent-adapter";
import type { RuntimeEnv } from "../../env.ts";
import type { BootConfig } from "../../read-config.ts";
import type { AgentProfile } from "../acp/agent-profile.ts";
import { CLAUDE_KEYS, claudeEnv } from "./claude-env.ts";
import { explainClaudeFailure } from "./explain-failure.ts";

/** Where the package keeps its program, below `node_modules`. */
const PROGRAM = "@agentclientprotocol/claude-agent-acp/dist/index.js";
/** A tool may wait for another agent, and a little longer than that agent is waited for. */
const TOOL_GRACE_MS = 30_000;

/** Claude Code behind its ACP front end, installed in `AGENT_PACKAGE_DIR`. */
export async function claudeProfile(env: RuntimeEnv, config: BootConfig): Promise<AgentProfile> {
  const instructions = await systemPrompt(env, config);
  const program = path.join(env.agentPackageDir ?? "", "node_modules", PROGRAM);
  return {
    name: "claude-code",
    cannotStart: () => whyNot(env, program),
    command: {
      command: process.execPath,
      args: [program],
      cwd: path.resolve(env.workspaceDir),
      env: claudeEnv({
        source: env.all,
        homeDir: env.homeDir,
        model: config.model,
        secretNames: env.secretNames,
        isRoot: process.getuid?.() === 0,
        toolTimeoutMs: config.delegateTimeoutMs + TOOL_GRACE_MS,
      }),
    },
    modeId: "bypassPermissions",
    instructions,
    sessionMeta: {
      systemPrompt: { append: instructions },
      claudeCode: { options: { settingSources: [] } },
    },
    mcpServer: (url, token) => ({
      type: "http",
      name: "platform",
      url,
      headers: [{ name: "Authorization", value: `Bearer ${token}` }],
    }),
    explainFailure: (error) => explainClaudeFailure(error, config.model),
    explainStop,
  };
}

async function whyNot(env: RuntimeEnv, program: string): Promise<string | undefined> {
  if (CLAUDE_KEYS.every((key) => (env.all[key] ?? "") === "")) {
    return "The key ANTHROPIC_API_KEY is missing. Add it to the secrets of this workspace.";
  }
  if (env.agentPackageDir === undefined) {
    return "The variable AGENT_PACKAGE_DIR is missing, so the agent's package cannot be found.";
  }
  return access(program).then(
    () => undefined,
    () => "The agent's package is not installed in AGENT_PACKAGE_DIR.",
  );
}

async function systemPrompt(env: RuntimeEnv, config: BootConfig): Promise<string> {
  const notes = await readFile(path.join(env.configDir, "CLAUDE.md"), "utf8").catch(() => "");
  const who =
    `You are "${config.name}", one agent of an organisation of agents. ` +
    "Your working folder is your own. With the tools of the server `platform` you see the other agents " +
    "(list_peers), give them tasks (delegate_task) and show a message to the person " +
    "(send_message_to_user).";
  return [who, config.instructions, notes].filter((text) => text.trim() !== "").join("\n\n");
}

function explainStop(reason: string): TurnEnd {
  switch (reason) {
    case "end_turn":
      return { outcome: "completed" };
    case "cancelled":
      return { outcome: "cancelled" };
    case "max_tokens":
      return failed("The answer grew longer than the model allows.");
    case "max_turn_requests":
      return failed("The agent took more steps than one turn allows.");
    case "refusal":
      return failed("The model refused to go on with this conversation.");
    default:
      return failed("The agent stopped for a reason it did not explain.");
  }
}

function failed(sentence: string): TurnEnd {
  return { outcome: "failed", sentence, isCredentials: false };
}
