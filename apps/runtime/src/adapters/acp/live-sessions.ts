import { createHash } from "node:crypto";
import type { NewSessionRequest } from "@agentclientprotocol/sdk";
import type { Log } from "../../log.ts";
import type { McpPass, PlatformMcpEndpoint } from "../../mcp/platform-mcp-endpoint.ts";
import type { AgentProcess } from "./agent-process.ts";
import type { AgentProfile } from "./agent-profile.ts";
import type { SessionBook } from "./session-book.ts";

/** What sessions are opened with. */
export interface LiveSessionsDeps {
  readonly process: AgentProcess;
  readonly profile: AgentProfile;
  readonly book: SessionBook;
  readonly endpoint: PlatformMcpEndpoint;
  readonly log: Log;
}

/** A session that can be prompted. */
export interface OpenSession {
  readonly sessionId: string;
  readonly contextId: string;
  /** A conversation was known but could not be continued. True once, for the turn that opened it. */
  readonly hasLostMemory: boolean;
  /** It goes on with instructions of an earlier start. True once, for the turn that opened it. */
  readonly hasOldInstructions: boolean;
}

interface LiveSession {
  readonly sessionId: string;
  readonly pass: McpPass;
  isBusy: boolean;
}

/**
 * Sessions that are idle and stay open. Each costs the agent about 220 MB; opening one again takes
 * under half a second. Source: measured.
 */
const MAX_IDLE = 2;

/** The sessions of one agent process: opened when needed, closed when too many are idle. */
export class LiveSessions {
  readonly #deps: LiveSessionsDeps;
  readonly #live = new Map<string, LiveSession>();

  constructor(deps: LiveSessionsDeps) {
    this.#deps = deps;
  }

  /**
   * The session of a conversation: the open one, else the remembered one resumed, else loaded, else a
   * new one. @throws whatever the agent answers to `session/new`.
   */
  async open(contextId: string): Promise<OpenSession> {
    const live = this.#live.get(contextId);
    if (live !== undefined) {
      live.isBusy = true;
      this.#live.delete(contextId);
      this.#live.set(contextId, live);
      return {
        sessionId: live.sessionId,
        contextId,
        hasLostMemory: false,
        hasOldInstructions: false,
      };
    }
    const { book, profile } = this.#deps;
    const { cwd } = profile.command;
    const instructions = createHash("sha256").update(profile.instructions).digest("hex");
    const known = book.find(contextId, cwd);
    const pass = this.#deps.endpoint.issuePass();
    try {
      const restored = known === undefined ? undefined : await this.#restore(known.sessionId, pass);
      const sessionId = restored ?? (await this.#create(pass));
      await this.#setMode(sessionId);
      this.#live.set(contextId, { sessionId, pass, isBusy: true });
      book.remember(contextId, { sessionId, cwd, instructions });
      return {
        sessionId,
        contextId,
        hasLostMemory: known !== undefined && restored === undefined,
        hasOldInstructions: restored !== undefined && known?.instructions !== instructions,
      };
    } catch (error) {
      pass.revoke();
      throw error;
    }
  }

  /** The turn is over; the session stays open while few are idle. */
  release(session: OpenSession): void {
    const live = this.#live.get(session.contextId);
    if (live !== undefined) live.isBusy = false;
    const idle = [...this.#live].filter(([, each]) => !each.isBusy);
    for (const [contextId, each] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE))) {
      this.#live.delete(contextId);
      each.pass.revoke();
      this.#deps.process.agent
        .request("session/close", { sessionId: each.sessionId })
        .catch((error: unknown) => this.#deps.log.warn("a session did not close", { error }));
    }
  }

  /** No pass of this process is worth anything afterwards. */
  closeAll(): void {
    for (const { pass } of this.#live.values()) pass.revoke();
    this.#live.clear();
  }

  async #create(pass: McpPass): Promise<string> {
    const answer = await this.#deps.process.agent.request("session/new", this.#request(pass));
    return answer.sessionId;
  }

  async #restore(sessionId: string, pass: McpPass): Promise<string | undefined> {
    const request = { ...this.#request(pass), sessionId };
    for (const method of ["session/resume", "session/load"] as const) {
      try {
        await this.#deps.process.agent.request(method, request);
        return sessionId;
      } catch (error) {
        if (!this.#deps.process.isRunning) throw error;
        this.#deps.log.warn(`a conversation was not restored by ${method}`, { error });
      }
    }
    return undefined;
  }

  async #setMode(sessionId: string): Promise<void> {
    const { modeId } = this.#deps.profile;
    await this.#deps.process.agent.request("session/set_mode", { sessionId, modeId });
  }

  #request(pass: McpPass): NewSessionRequest {
    const { profile } = this.#deps;
    return {
      cwd: profile.command.cwd,
      mcpServers: [profile.mcpServer(pass.url, pass.token)],
      _meta: { ...profile.sessionMeta },
    };
  }
}
