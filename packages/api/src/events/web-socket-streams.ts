import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WS_CLOSE_SIGNED_OUT, WS_CLOSE_SLOW_CLIENT } from "@molecule/contracts/close-codes";
import type { StreamControl } from "@molecule/contracts/events";
import { DomainError } from "@molecule/domain/errors";
import { type WebSocket, WebSocketServer } from "ws";
import type { Auth } from "../context.ts";
import type { Deps } from "../deps.ts";
import { HTTP_STATUSES, newRequestId, problemOf, toDomainError } from "../errors.ts";
import { headersOf } from "../http/node-request.ts";
import { resolveAuth } from "../http/resolve-auth.ts";
import { isSameOrigin } from "../http/same-origin.ts";
import type { EventHub } from "./event-hub.ts";
import { followStream, type StreamSink } from "./follow-stream.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { StreamMessage } from "./stream-message.ts";
import type { TemplateWatch } from "./template-watch.ts";

/** What the sockets hang on. */
export interface WebSocketOptions {
  readonly deps: Deps;
  readonly hub: EventHub;
  readonly streams: OpenStreams;
  readonly templates: TemplateWatch;
  /** Default 30 000 ms. */
  readonly pingMs?: number;
}

/** Unsent bytes at which a client counts as slow. Source: security C2 row 19. */
const MAX_UNSENT_BYTES = 4 * 1_048_576;
/** How long a client may take to answer a close. */
const CLOSE_GRACE_MS = 1000;
/** RFC 6455 §7.4.1: 1001 is “going away”; the client comes back. */
const CLOSE_CODES = { signed_out: WS_CLOSE_SIGNED_OUT, stopping: 1001 } as const;

/**
 * The WebSocket at `/ws`. A client that does not answer a ping is dropped with the next one, a slow
 * one is told to resync and closed, one whose session ends is closed with 4401.
 */
export class WebSocketStreams {
  readonly #options: WebSocketOptions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 65_536 });
  readonly #silent = new WeakSet<WebSocket>();
  readonly #pings: NodeJS.Timeout;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#pings = setInterval(() => this.#ping(), options.pingMs ?? 30_000);
    this.#pings.unref();
  }

  /** Takes an upgrade request for `/ws`, or refuses it with a plain HTTP answer. Never rejects. */
  async accept(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    try {
      const auth = await admit(this.#options.deps, req);
      this.#server.handleUpgrade(req, socket, head, (client) => this.#open(client, req, auth));
    } catch (error) {
      refuseUpgrade(socket, toDomainError(error));
    }
  }

  /** Closes every socket. */
  async stop(): Promise<void> {
    clearInterval(this.#pings);
    for (const client of this.#server.clients) client.close(CLOSE_CODES.stopping, "stopping");
    // A client that is gone without a word does not answer the close.
    const cut = setTimeout(() => {
      for (const client of this.#server.clients) client.terminate();
    }, CLOSE_GRACE_MS);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(cut);
  }

  #open(client: WebSocket, req: IncomingMessage, auth: Auth): void {
    const { deps, hub, streams, templates } = this.#options;
    const sink = new SocketSink(client, auth);
    const forget = streams.add({
      auth,
      end: (why) => client.close(CLOSE_CODES[why], why),
    });
    let endFollowing: () => void = () => undefined;
    const leaveTemplates = templates.follow(() => sink.control({ control: "templates" }));
    client.on("pong", () => this.#silent.delete(client));
    // Incoming content is ignored (contract §16.1); an error is followed by close.
    client.on("error", (err) => deps.log.debug({ err }, "socket error"));
    client.on("close", () => {
      forget();
      leaveTemplates();
      endFollowing();
    });
    const after = new URL(req.url ?? "/", "http://localhost").searchParams.get("after");
    followStream(deps, hub, sink, after).then(
      (end) => {
        endFollowing = end;
        if (client.readyState !== client.OPEN) end();
      },
      (err: unknown) => {
        deps.log.warn({ err }, "a stream could not be started");
        client.close(1011, "try again");
      },
    );
  }

  #ping(): void {
    for (const client of this.#server.clients) {
      if (this.#silent.has(client)) {
        client.terminate();
        continue;
      }
      this.#silent.add(client);
      client.ping();
    }
  }
}

class SocketSink implements StreamSink {
  readonly workspaceId: string | null;
  readonly #client: WebSocket;
  #isGivenUp = false;

  constructor(client: WebSocket, auth: Auth) {
    this.#client = client;
    this.workspaceId = auth.kind === "workspace" ? auth.workspaceId : null;
  }

  get isClosed(): boolean {
    return this.#isGivenUp || this.#client.readyState !== this.#client.OPEN;
  }

  send(message: StreamMessage): void {
    if (this.isClosed) return;
    if (this.#client.bufferedAmount > MAX_UNSENT_BYTES) {
      this.#isGivenUp = true;
      this.control({ control: "resync", reason: "The connection was too slow to follow." });
      this.#client.close(WS_CLOSE_SLOW_CLIENT, "too slow");
      // A peer that does not read does not answer a close either.
      setTimeout(() => this.#client.terminate(), 5000).unref();
      return;
    }
    this.#client.send(this.workspaceId === null ? message.full : message.bare());
  }

  control(message: StreamControl): void {
    // Agents know the contract's four fields only.
    if (this.workspaceId === null) this.#client.send(JSON.stringify(message));
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isClosed) resolve();
      else this.#client.ping(undefined, undefined, () => resolve());
    });
  }
}

async function admit(deps: Deps, req: IncomingMessage): Promise<Auth> {
  const headers = headersOf(req);
  const { auth } = await resolveAuth(deps, headers, req.socket.remoteAddress ?? "unknown");
  if (auth.kind === "anonymous") {
    throw new DomainError("unauthenticated", "This needs a valid token or a signed-in session.");
  }
  if (auth.kind === "member" && !isSameOrigin(headers)) {
    throw new DomainError("forbidden", "This request did not come from a page of this platform.");
  }
  const named = headers.get("x-workspace-id");
  if (auth.kind === "workspace" && named !== null && named !== auth.workspaceId) {
    throw new DomainError(
      "unauthenticated",
      "The token is not of the workspace in X-Workspace-ID.",
    );
  }
  if (auth.kind === "workspace" && auth.isSuperseded) {
    throw new DomainError("superseded", "A newer start of this workspace has taken over.", {
      details: { superseded: true },
    });
  }
  return auth;
}

/** Answers an upgrade request with the error instead. */
export function refuseUpgrade(socket: Duplex, error: DomainError): void {
  const body = JSON.stringify(problemOf(error, newRequestId()));
  socket.end(
    [
      `HTTP/1.1 ${HTTP_STATUSES[error.code]} Refused`,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
