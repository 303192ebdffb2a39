import type { SessionUpdate } from "@agentclientprotocol/sdk";
import type { AgentEvent } from "@molecule/runtime-sdk/agent-adapter";

/** Longest status phrase and tool detail, in characters. */
const MAX_PHRASE = 160;
/** What agents put before the names of the platform's tools. */
const OWN_TOOL = /^mcp__platform__/;

/** What one update of a session means for the turn; kinds we do not know mean nothing. */
export function translateUpdate(update: SessionUpdate): AgentEvent[] {
  switch (update.sessionUpdate) {
    case "agent_message_chunk":
      return update.content.type === "text" ? [{ kind: "text", text: update.content.text }] : [];
    case "tool_call": {
      const detail = phrase(update.title.replace(OWN_TOOL, ""));
      const tool = toolEvent(update, detail);
      return detail === "" ? [tool] : [{ kind: "status", text: detail }, tool];
    }
    case "tool_call_update":
      return [toolEvent(update, phrase(update.title?.replace(OWN_TOOL, "") ?? ""))];
    default:
      return [];
  }
}

interface ToolUpdate {
  readonly toolCallId: string;
  readonly status?: string | null | undefined;
  readonly _meta?: Readonly<Record<string, unknown>> | null | undefined;
}

function toolEvent(update: ToolUpdate, detail: string): AgentEvent {
  const state =
    update.status === "completed" ? "done" : update.status === "failed" ? "failed" : "running";
  return { kind: "tool", id: update.toolCallId, name: toolName(update._meta), detail, state };
}

/** The agent's own name of the tool, where it says one. */
function toolName(meta: Readonly<Record<string, unknown>> | null | undefined): string {
  const own = meta?.claudeCode;
  return typeof own === "object" && own !== null && "toolName" in own
    ? String(own.toolName).replace(OWN_TOOL, "")
    : "";
}

function phrase(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > MAX_PHRASE ? `${line.slice(0, MAX_PHRASE - 1)}…` : line;
}
