import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  TERMINAL_PROTOCOL,
  TERMINAL_TICKET_PREFIX,
  type TerminalNotice,
} from "@molecule/contracts/terminal-protocol";
import { isLoopbackHost } from "@molecule/domain/dev-mode";
import { DomainError } from "@molecule/domain/errors";
import {
  DEFAULT_TERMINAL_SIZE,
  MAX_TERMINAL_MESSAGE_BYTES,
  TERMINAL_END_TEXTS,
  type TerminalEnd,
} from "@molecule/domain/terminal";
import { type WebSocket, WebSocketServer } from "ws";
import { type Auth, actorOf } from "../context.ts";
import type { Deps } from "../deps.ts";
import { toDomainError } from "../errors.ts";
import type { OpenStreams } from "../events/open-streams.ts";
import { refuseUpgrade } from "../events/web-socket-streams.ts";
import { canonicalId } from "../http/guards.ts";
import { headersOf } from "../http/node-request.ts";
import { type Limiter, rateLimited } from "../http/rate-limit.ts";
import { resolveAuth } from "../http/resolve-auth.ts";
import { isSameOrigin } from "../http/same-origin.ts";
import { redeemTicket, requireTerminal } from "../services/terminal/permit.ts";
import { TerminalRelay } from "./terminal-relay.ts";

/** What the terminals of one server hang on. */
export interface TerminalSocketOptions {
  readonly deps: Deps;
  readonly streams: OpenStreams;
  readonly limiter: Limiter;
}

/** How long a client may take to answer a close. */
const CLOSE_GRACE_MS = 1000;
const PATH = /^\/workspaces\/([^/]+)\/terminal$/;

/** Who may have what, once it is decided. */
interface Permit {
  readonly auth: Auth;
  readonly workspaceId: string;
  /** Null for a bearer: whichever attempt runs. */
  readonly attemptNo: number | null;
  /** It speaks our subprotocol; else it speaks as the wire contract says. */
  readonly isOurs: boolean;
}

/**
 * The terminal's WebSocket at `/workspaces/:id/terminal`: a bearer in a header, or a page's one-use ticket
 * beside its session. A page is connected at once and sees the stages; a client of the wire contract is
 * connected when the shell is open, so that a failure is a status it can read.
 */
export class TerminalSockets {
  readonly #options: TerminalSocketOptions;
  readonly #relays = new Set<TerminalRelay>();
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_TERMINAL_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(TERMINAL_PROTOCOL) ? TERMINAL_PROTOCOL : false),
  });

  constructor(options: TerminalSocketOptions) {
    this.#options = options;
  }

  /** Whether the path is a terminal's. */
  static isFor(pathname: string): boolean {
    return PATH.test(pathname);
  }

  /** Takes an upgrade request, or refuses it with a plain HTTP answer. Never rejects. */
  async accept(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    try {
      const permit = await this.#permit(req);
      const worker = await this.#dial(req, permit).catch((error: unknown) => toDomainError(error));
      if (worker instanceof DomainError) {
        if (!permit.isOurs) throw worker;
        // A page cannot read the answer to an upgrade that was refused.
        this.#server.handleUpgrade(req, socket, head, (client) => tellAndClose(client, worker));
        return;
      }
      const relay = new TerminalRelay(worker, permit.isOurs);
      this.#keep(relay, permit.auth);
      if (!permit.isOurs) {
        const failure = await relay.untilReady();
        if (failure !== null) throw failureOf(failure);
      }
      if (socket.destroyed) return relay.stop("closed");
      this.#server.handleUpgrade(req, socket, head, (client) => relay.join(client));
    } catch (error) {
      refuseUpgrade(socket, toDomainError(error));
    }
  }

  /** Tells every viewer that this server ends; the shells live in the worker. */
  async stop(): Promise<void> {
    for (const relay of this.#relays) relay.stop("server_stopping");
    const cut = setTimeout(() => {
      for (const client of this.#server.clients) client.terminate();
    }, CLOSE_GRACE_MS);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(cut);
  }

  async #permit(req: IncomingMessage): Promise<Permit> {
    const { deps, limiter } = this.#options;
    const headers = headersOf(req);
    const { pathname } = new URL(req.url ?? "/", "http://localhost");
    const workspaceId = canonicalId(PATH.exec(pathname)?.[1] ?? "", false);
    const ip = req.socket.remoteAddress ?? "unknown";
    const { auth, credential, hasBearer } = await resolveAuth(deps, headers, ip);
    const rate = limiter.hit(credential ?? `ip:${ip}`, deps.now());
    if (rate.isExceeded) throw rateLimited(rate);
    requireTerminal(auth, workspaceId, headers);
    requireKnownOrigin(deps, headers);
    const offered = (headers.get("sec-websocket-protocol") ?? "")
      .split(",")
      .map((one) => one.trim());
    const isOurs = offered.includes(TERMINAL_PROTOCOL);
    if (hasBearer) return { auth, workspaceId, attemptNo: null, isOurs };
    const ticket = offered.find((one) => one.startsWith(TERMINAL_TICKET_PREFIX));
    if (ticket === undefined || !isSameOrigin(headers)) {
      throw new DomainError("unauthenticated", "A page opens a terminal with a ticket.", {
        next: "Ask for one with terminal.ticket.",
      });
    }
    const asked = { workspaceId, ticket: ticket.slice(TERMINAL_TICKET_PREFIX.length) };
    return { auth, workspaceId, attemptNo: await redeemTicket(deps, auth, asked), isOurs };
  }

  async #dial(req: IncomingMessage, { auth, workspaceId, attemptNo }: Permit) {
    const query = new URL(req.url ?? "/", "http://localhost").searchParams;
    const { kind, id, name } = actorOf(auth);
    if (kind === "platform") throw new Error("invariant: the platform opens no terminal");
    return await this.#options.deps.worker.openTerminal({
      workspaceId,
      attemptNo,
      session: query.get("session"),
      cols: sideOf(query.get("cols"), DEFAULT_TERMINAL_SIZE.cols),
      rows: sideOf(query.get("rows"), DEFAULT_TERMINAL_SIZE.rows),
      actor: { kind, name, ...(id === undefined ? {} : { id }) },
    });
  }

  #keep(relay: TerminalRelay, auth: Auth): void {
    const { streams } = this.#options;
    this.#relays.add(relay);
    const forget = streams.add({
      auth,
      end: (why) => relay.stop(why === "signed_out" ? "signed_out" : "server_stopping"),
    });
    relay.onEnd(() => {
      forget();
      this.#relays.delete(relay);
    });
  }
}

function tellAndClose(client: WebSocket, error: DomainError): void {
  const end: TerminalEnd = error.code === "not_found" ? "gone" : "unreachable";
  const next = error.next ?? TERMINAL_END_TEXTS[end].next;
  const notice: TerminalNotice = { kind: "end", end, sentence: error.message, next };
  client.on("error", () => undefined);
  client.send(JSON.stringify(notice));
  client.close(TERMINAL_END_TEXTS[end].closeCode, end);
}

/** Source: wire contract §15: no origin, one of this machine, ours, or one that may call. */
function requireKnownOrigin(deps: Deps, headers: Headers): void {
  const origin = headers.get("origin");
  if (origin === null || isSameOrigin(headers) || deps.platform.corsOrigins.includes(origin))
    return;
  if (URL.canParse(origin) && isLoopbackHost(new URL(origin).host)) return;
  throw new DomainError("forbidden", "This request did not come from a page of this platform.");
}

function sideOf(text: string | null, fallback: number): number {
  const side = Number(text);
  return text !== null && Number.isInteger(side) && side > 0 && side <= 1000 ? side : fallback;
}

function failureOf({ end, sentence, next }: Extract<TerminalNotice, { kind: "end" }>): DomainError {
  return new DomainError(TERMINAL_END_TEXTS[end satisfies TerminalEnd].errorCode, sentence, {
    next,
    details: { end },
  });
}
