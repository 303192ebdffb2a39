import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import * as acp from "@agentclientprotocol/sdk";
import { descendantsOf, killAll, type ProcessMark, sendSignal } from "./descendants.ts";

/** How to start an agent that speaks ACP on its standard streams. */
export interface AgentCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the agent; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

/** What the agent tells and asks while it works. */
export interface AgentCallbacks {
  /** Must not block; updates of all sessions come here in order. */
  readonly onUpdate: (notification: acp.SessionNotification) => void;
  readonly onPermission: (request: acp.RequestPermissionRequest) => acp.RequestPermissionResponse;
}

/** Characters of the agent's error output that are kept for the log. */
const STDERR_KEPT = 8_000;
/** Marks everything an agent starts, also what was handed to init meanwhile. */
const RUN_VARIABLE = "MOLECULE_AGENT_RUN";
const INITIALIZE_WITHIN_MS = 30_000;
/** From a polite signal to a kill, in ms. Source: measured, an idle agent ends in 0.1 s. */
const POLITE_MS = 2_500;
const KILL_WITHIN_MS = 2_000;

/**
 * One running agent process and the connection to it.
 *
 * Modes: running → gone (it exited, or `stop` was called); there is no way back, a new one is started
 * instead.
 */
export class AgentProcess {
  readonly agent: acp.ClientContext;
  /** What the agent said it can do. */
  readonly capabilities: acp.AgentCapabilities | undefined;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #connection: acp.ClientConnection;
  readonly #marker: string;
  readonly #stderr: { text: string };

  private constructor(parts: {
    child: ChildProcessWithoutNullStreams;
    connection: acp.ClientConnection;
    capabilities: acp.AgentCapabilities | undefined;
    marker: string;
    stderr: { text: string };
  }) {
    this.#child = parts.child;
    this.#connection = parts.connection;
    this.#marker = parts.marker;
    this.#stderr = parts.stderr;
    this.capabilities = parts.capabilities;
    this.agent = parts.connection.agent;
  }

  /** @throws Error when the process cannot be started or does not answer. */
  static async start(command: AgentCommand, callbacks: AgentCallbacks): Promise<AgentProcess> {
    const run = randomUUID();
    const marker = `${RUN_VARIABLE}=${run}`;
    const child = spawn(command.command, [...command.args], {
      cwd: command.cwd,
      env: { ...command.env, [RUN_VARIABLE]: run },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    const stderr = { text: "" };
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr.text = (stderr.text + text).slice(-STDERR_KEPT);
    });
    child.stdin.on("error", () => undefined);
    const gone = new Promise<never>((_, reject) => {
      child.once("error", (cause) => reject(new Error("The agent cannot be started.", { cause })));
      child.once("exit", (code) => reject(new Error(`The agent ended at once (code ${code}).`)));
    });
    const connection = acp
      .client({ name: "molecule-runtime" })
      .onRequest("session/request_permission", ({ params }) => callbacks.onPermission(params))
      .onNotification("session/update", ({ params }) => callbacks.onUpdate(params))
      .connect(acp.ndJsonStream(Writable.toWeb(child.stdin), webInput(child)));
    child.once("exit", () => connection.close());
    const late = new AbortController();
    try {
      const answer = await Promise.race([
        gone,
        connection.agent.request("initialize", {
          protocolVersion: acp.PROTOCOL_VERSION,
          clientInfo: { name: "molecule-runtime", version: "1.0.0" },
          clientCapabilities: {},
        }),
        delay(INITIALIZE_WITHIN_MS, undefined, { signal: late.signal }).then(() => {
          throw new Error("The agent did not answer after it was started.");
        }),
      ]);
      const capabilities = answer.agentCapabilities;
      return new AgentProcess({ child, connection, capabilities, marker, stderr });
    } catch (error) {
      connection.close();
      if (child.pid !== undefined) await endTree(child.pid, marker);
      throw new Error(error instanceof Error ? error.message : "The agent cannot be started.", {
        cause: stderr.text === "" ? error : new Error(stderr.text),
      });
    } finally {
      gone.catch(() => undefined);
      late.abort();
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what the agent wrote to its error output; for the log only. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** Resolves when the connection is closed, whichever side ended it. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /**
   * Neither the agent nor anything it started runs afterwards. What it started is found before it
   * ends, because an orphan cannot be traced back.
   */
  async stop(): Promise<void> {
    const pid = this.#child.pid;
    if (pid === undefined) return;
    const known = new Map<number, ProcessMark>();
    const look = async () => {
      for (const mark of await descendantsOf(pid, this.#marker)) known.set(mark.pid, mark);
    };
    await look();
    if (this.isRunning) {
      const exited = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
      sendSignal(pid, "SIGTERM");
      const patience = new AbortController();
      await Promise.race([
        exited,
        delay(POLITE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
      ]);
      patience.abort();
    }
    await look();
    this.#connection.close();
    this.#child.stdin.destroy();
    if (this.isRunning) sendSignal(pid, "SIGKILL");
    sendSignal(-pid, "SIGKILL");
    await killAll([...known.values()], KILL_WITHIN_MS);
  }
}

async function endTree(pid: number, marker: string): Promise<void> {
  const marks = await descendantsOf(pid, marker);
  sendSignal(-pid, "SIGKILL");
  sendSignal(pid, "SIGKILL");
  await killAll(marks, KILL_WITHIN_MS);
}

function webInput(child: ChildProcessWithoutNullStreams): ReadableStream<Uint8Array> {
  return Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>;
}
