import type { PlatformTools } from "@molecule/runtime-sdk/platform-tools";
import type { RuntimeEnv } from "../env.ts";
import type { Log } from "../log.ts";
import type { BootConfig } from "../read-config.ts";
import type { AgentAdapter } from "./agent-adapter.ts";
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
  const { env, config, tools } = deps;
  switch (env.adapter) {
    case "demo":
      return demoAdapter({
        config,
        tools,
        attempt: env.attempt,
        tier: env.tier,
        workspaceDir: env.workspaceDir,
      });
    case "claude-code":
      throw new Error("The claude-code adapter is not part of this build.");
  }
}
