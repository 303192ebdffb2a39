import type { AgentAdapter } from "@molecule/runtime-sdk/agent-adapter";
import type { PlatformTools } from "@molecule/runtime-sdk/platform-tools";
import type { RuntimeEnv } from "../env.ts";
import type { Log } from "../log.ts";
import { PlatformMcpEndpoint } from "../mcp/platform-mcp-endpoint.ts";
import type { BootConfig } from "../read-config.ts";
import { AcpAdapter } from "./acp/acp-adapter.ts";
import { SessionBook } from "./acp/session-book.ts";
import { claudeProfile } from "./claude-code/claude-profile.ts";
import { demoAdapter } from "./demo/demo-adapter.ts";

/** What an adapter is made of. */
export interface AdapterDeps {
  readonly env: RuntimeEnv;
  readonly config: BootConfig;
  readonly tools: PlatformTools;
  readonly log: Log;
}

/** The adapter that `AGENT_ADAPTER` names, not started. */
export async function chooseAdapter(deps: AdapterDeps): Promise<AgentAdapter> {
  const { env, config, tools, log } = deps;
  switch (env.adapter) {
    case "demo":
      return demoAdapter({
        config,
        tools,
        attempt: env.attempt,
        tier: env.tier,
        secretNames: env.secretNames,
        configDir: env.configDir,
        workspaceDir: env.workspaceDir,
      });
    case "claude-code":
      return new AcpAdapter({
        profile: await claudeProfile(env, config),
        book: await SessionBook.open(env.homeDir),
        endpoint: await PlatformMcpEndpoint.start(tools, log),
        log,
      });
  }
}
