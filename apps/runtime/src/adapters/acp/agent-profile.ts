import type { McpServer, PromptResponse } from "@agentclientprotocol/sdk";
import type { TurnEnd } from "@molecule/runtime-sdk/agent-adapter";
import type { AgentCommand } from "./agent-process.ts";

/** What differs between agents that speak the same protocol. */
export interface AgentProfile {
  readonly name: string;
  /** Why the agent cannot run here, as one sentence; undefined when it can. */
  readonly cannotStart: () => Promise<string | undefined>;
  readonly command: AgentCommand;
  /** Mode in which nothing is asked, because the instance itself is the fence. */
  readonly modeId: string;
  /** What the agent is told about itself: also part of what a session is opened with. */
  readonly instructions: string;
  /** Extra data of `session/new`, `resume` and `load`. */
  readonly sessionMeta: Readonly<Record<string, unknown>>;
  readonly mcpServer: (url: string, token: string) => McpServer;
  /** What a failed prompt means for a person; `lost` when the process or session is gone. */
  readonly explainFailure: (error: unknown) => FailedPrompt;
  readonly explainStop: (reason: PromptResponse["stopReason"]) => TurnEnd;
}

/** A prompt that was rejected. `lost` may be tried again on a new process if nothing was done yet. */
export interface FailedPrompt {
  readonly kind: "lost" | "failed";
  readonly sentence: string;
  readonly isCredentials: boolean;
}
