import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CredentialFiles, credentialFiles } from "@molecule/runtime-sdk/credential-files";
import { platformClient } from "@molecule/runtime-sdk/platform-client";
import { platformTools } from "@molecule/runtime-sdk/platform-tools";
import { a2aCard, type CardFacts, registeredCard } from "./a2a/agent-card.ts";
import { TurnExecutor } from "./a2a/turn-executor.ts";
import { chooseAdapter } from "./adapters/choose-adapter.ts";
import { type RuntimeEnv, readEnv } from "./env.ts";
import { agentApp } from "./http/agent-app.ts";
import { captureConsole, jsonLog, type Log } from "./log.ts";
import { type Dismissal, Presence } from "./presence/presence.ts";
import { type BootConfig, readBootConfig } from "./read-config.ts";
import { stopInOrder } from "./stop-in-order.ts";
import { NoteBook } from "./turns/note-book.ts";
import { TurnQueue } from "./turns/turn-queue.ts";

/** Turns that may wait for their conversation or for a free place. */
const MAX_WAITING_TURNS = 100;
/** After a signal, everything has ended by then, in ms. */
const STOP_WITHIN_MS = 8_000;

/**
 * Serves one workspace until a signal or the platform ends it. Order: configuration, agent, port,
 * register, beat. Source: wire contract §20.
 */
export async function serve(): Promise<void> {
  const write = (line: string) => void process.stdout.write(line);
  let log = jsonLog(write, {});
  try {
    const env = readEnv();
    log = jsonLog(write, env.all);
    captureConsole(log);
    process.on("unhandledRejection", (error) => log.error("unhandled rejection", { error }));
    const runtime = await startRuntime(env, log, (why) => {
      log.info(
        why === "superseded"
          ? "superseded: a newer attempt of this workspace is running, so this one ends"
          : "removed: this workspace was deleted, so this instance ends",
      );
      void end("dismissed");
    });
    const end = async (why: string): Promise<void> => {
      log.info("stopping", { why });
      setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref();
      await runtime.stop();
      log.info("stopped");
      process.exit(0);
    };
    process.once("SIGTERM", () => void end("SIGTERM"));
    process.once("SIGINT", () => void end("SIGINT"));
  } catch (error) {
    log.error("the agent could not be started", { error });
    process.exit(1);
  }
}

/** A running workspace. */
export interface Runtime {
  readonly port: number;
  /** Cancels turns, says goodbye, frees the port, and leaves no process behind. */
  readonly stop: () => Promise<void>;
}

/** @throws Error with a sentence when the configuration, the agent or the port cannot be used. */
export async function startRuntime(
  env: RuntimeEnv,
  log: Log,
  dismissed: (why: Dismissal) => void,
): Promise<Runtime> {
  const config = await readBootConfig(env);
  const credentials = credentialFiles({ folder: env.configDir });
  await hideCredentials(credentials, log);
  const client = platformClient({
    platformUrl: env.platformUrl,
    workspaceId: env.workspaceId,
    credentials,
  });
  const tools = platformTools(client, { delegateDeadlineMs: config.delegateTimeoutMs });
  const adapter = await chooseAdapter({ env, config, tools, log });
  await adapter.start();

  const server = createServer();
  const port = await listen(server, env);
  const facts = cardFacts(env, config, port);
  const queue = new TurnQueue({
    maxConcurrent: config.maxConcurrentTasks,
    maxWaiting: MAX_WAITING_TURNS,
  });
  const presence = new Presence({
    client,
    registration: { url: facts.url, agentCard: registeredCard(facts) },
    log,
    dismissed,
  });
  const executor = new TurnExecutor({
    adapter,
    queue,
    watcher: presence,
    notes: await NoteBook.open(env.homeDir),
    log,
  });
  const app = agentApp({
    card: a2aCard(facts),
    executor,
    credentials,
    log,
    roots: {
      "/configs": env.configDir,
      "/workspace": env.workspaceDir,
      "/home": env.homeDir,
      "/plugins": env.pluginsDir,
    },
    health: () => ({
      status: "ok",
      workspace_id: env.workspaceId,
      attempt: env.attempt,
      adapter: adapter.name,
      active_tasks: queue.running,
    }),
  });
  server.on("request", app);
  log.info("listening", { host: env.hostBind, port, adapter: adapter.name, attempt: env.attempt });
  presence.start();
  return { port, stop: () => stopInOrder({ server, executor, presence, adapter, log }) };
}

async function hideCredentials(credentials: CredentialFiles, log: Log): Promise<void> {
  log.hide(await credentials.token().catch(() => undefined));
  log.hide(await credentials.inboundSecret().catch(() => undefined));
}

function listen(server: Server, env: RuntimeEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new Error(`The port ${env.port} on ${env.hostBind} cannot be used.`, { cause }));
    });
    server.listen(env.port, env.hostBind, () => resolve((server.address() as AddressInfo).port));
  });
}

function cardFacts(env: RuntimeEnv, config: BootConfig, port: number): CardFacts {
  const isEverywhere = env.hostBind === "0.0.0.0" || env.hostBind === "::";
  const host = isEverywhere ? (env.hostname ?? "127.0.0.1") : env.hostBind;
  const isDemo = env.adapter === "demo";
  return {
    name: config.name,
    description:
      config.description || (isDemo ? "A demo agent without a language model" : config.name),
    version: config.version,
    url: env.agentUrl ?? `http://${host}:${port}`,
    skills: [
      isDemo
        ? {
            id: "demo",
            name: "Plain requests",
            description:
              "Lists, reads and writes files, reports its settings, delegates, notifies.",
            tags: ["demo", "files"],
          }
        : {
            id: "coding",
            name: "Coding",
            description: "Works on files and code in its own workspace.",
            tags: ["code", "files"],
          },
    ],
  };
}
