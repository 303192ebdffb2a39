import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { a2aCard, type CardFacts, registeredCard } from "./a2a/agent-card.ts";
import { TurnExecutor } from "./a2a/turn-executor.ts";
import type { AgentAdapter } from "./agent-adapter.ts";
import type { CredentialFiles } from "./credential-files.ts";
import type { RootFolders } from "./files/file-read.ts";
import { agentApp } from "./http/agent-app.ts";
import { type Log, silentLog } from "./log.ts";
import type { PlatformClient } from "./platform-client.ts";
import { type Dismissal, Presence } from "./presence.ts";
import { stopInOrder } from "./stop-in-order.ts";
import { NoteBook } from "./turns/note-book.ts";
import { TurnQueue } from "./turns/turn-queue.ts";

/** An agent and where it is served. */
export interface ServeOptions {
  readonly client: PlatformClient;
  readonly credentials: CredentialFiles;
  readonly adapter: AgentAdapter;
  /** What the agent says about itself, without its address. */
  readonly card: Omit<CardFacts, "url">;
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the platform reaches the port that was bound; absent: on the host it listens on. */
  readonly urlOf?: ((port: number) => string) | undefined;
  /** Where notes of the platform are kept. */
  readonly homeDir: string;
  /** Folders whose files the platform may read; uploads go into `/workspace`. Absent: none. */
  readonly roots?: RootFolders | undefined;
  /** Turns that run at once, over all conversations; default 1. */
  readonly maxConcurrent?: number | undefined;
  readonly log?: Log | undefined;
  /** More for `GET /health` and the first line of the log. */
  readonly about?: Readonly<Record<string, unknown>> | undefined;
  /** Called once when the platform says that this agent is not wanted any more. */
  readonly dismissed?: ((why: Dismissal) => void) | undefined;
}

/** An agent that is served, registered and beats. */
export interface ServedAgent {
  readonly port: number;
  /** Cancels turns, says goodbye, frees the port, and leaves no process behind. */
  readonly stop: () => Promise<void>;
}

/** Turns that may wait for their conversation or for a free place. */
const MAX_WAITING_TURNS = 100;

/**
 * Starts the agent, serves it over A2A, registers it and keeps it present until it is stopped. Order: agent,
 * port, register, beat. Source: wire contract §20.
 * @throws Error with a sentence when the agent or the port cannot be used
 */
export async function serveAgent(options: ServeOptions): Promise<ServedAgent> {
  const { adapter, client, credentials, log = silentLog } = options;
  await adapter.start();
  const notes = await NoteBook.open(options.homeDir);
  const server = createServer();
  const port = await listen(server, options.listen);
  // Nothing is awaited from here until requests are heard: one that came in between would never be
  // answered.
  const url = options.urlOf?.(port) ?? `http://${options.listen.host}:${port}`;
  const facts: CardFacts = { ...options.card, url };
  const queue = new TurnQueue({
    maxConcurrent: options.maxConcurrent ?? 1,
    maxWaiting: MAX_WAITING_TURNS,
  });
  const presence = new Presence({
    client,
    registration: { url: facts.url, agentCard: registeredCard(facts) },
    log,
    dismissed: options.dismissed ?? (() => undefined),
  });
  const executor = new TurnExecutor({
    adapter,
    queue,
    watcher: presence,
    notes,
    log,
  });
  const app = agentApp({
    card: a2aCard(facts),
    executor,
    credentials,
    log,
    roots: options.roots ?? {},
    health: () => ({
      status: "ok",
      workspace_id: client.workspaceId,
      ...options.about,
      adapter: adapter.name,
      active_tasks: queue.running,
    }),
  });
  server.on("request", app);
  const { host } = options.listen;
  log.info("listening", { host, port, adapter: adapter.name, ...options.about });
  presence.start();
  return { port, stop: () => stopInOrder({ server, executor, presence, adapter, log }) };
}

function listen(server: Server, where: ServeOptions["listen"]): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new Error(`The port ${where.port} on ${where.host} cannot be used.`, { cause }));
    });
    server.listen(where.port, where.host, () => resolve((server.address() as AddressInfo).port));
  });
}
