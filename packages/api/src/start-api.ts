import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Deps } from "./deps.ts";
import { newRequestId, toDomainError } from "./errors.ts";
import { EventHub } from "./events/event-hub.ts";
import { OpenStreams } from "./events/open-streams.ts";
import { TemplateWatch } from "./events/template-watch.ts";
import { WebSocketStreams } from "./events/web-socket-streams.ts";
import { NOTIFIES_PER_MINUTE } from "./http/activity-routes.ts";
import { allRoutes } from "./http/all-routes.ts";
import { createRequestHandler, notFound } from "./http/handle-request.ts";
import { createTrpcHandler } from "./http/handle-trpc.ts";
import { headersOf, serveNode } from "./http/node-request.ts";
import type { Peer } from "./http/request-context.ts";
import { failure } from "./http/respond.ts";
import { addSecurityHeaders } from "./http/security-headers.ts";
import { SharedRateLimiter } from "./http/shared-rate-limit.ts";
import { isForUs, nobodyHere } from "./http/tenant-gate.ts";
import { TerminalSockets } from "./terminal/terminal-sockets.ts";

/** Answers with a page or a file; null for a request that is for none. */
export type Pages = (req: Request) => Promise<Response | null>;

/** The public surface of one process. */
export interface Api {
  /** Answers one request, tRPC, plain route or page. Never rejects. */
  answer(req: Request, peer: Peer): Promise<Response>;
  /** The same for Node's server. */
  serve(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Takes or refuses an upgrade to a WebSocket. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends every stream; requests under way are the listener's to wait for. */
  stop(): Promise<void>;
}

/**
 * Parts of the canvas whose address a plain route has as well: a browser that navigates there wants
 * the page. Source: canvas §6.
 */
const SHARED_WITH_PAGES = /^\/settings\//;

/** Starts answering and following the event log. Rejects when the database cannot be reached. */
export async function startApi(deps: Deps, pages: Pages): Promise<Api> {
  const hub = await EventHub.start(deps);
  const streams = await OpenStreams.start(deps);
  const templates = new TemplateWatch(deps);
  const sockets = new WebSocketStreams({ deps, hub, streams, templates });
  const { db, log, now } = deps;
  const limiter = new SharedRateLimiter({ db, log, now, limit: deps.platform.rateLimit });
  const state = { deps, limiter };
  const terminals = new TerminalSockets({ deps, streams, limiter });
  const notifies = new SharedRateLimiter({ db, log, now, limit: NOTIFIES_PER_MINUTE });
  const trpc = createTrpcHandler(state);
  const plain = createRequestHandler(state, allRoutes({ hub, streams, notifies }));

  const page = async (req: Request): Promise<Response | null> => {
    const response = await pages(req).catch((err: unknown) => {
      deps.log.error({ err }, "a page could not be read");
      return null;
    });
    if (response !== null) addSecurityHeaders(response.headers);
    return response;
  };
  const { platform } = deps;
  const answered = async (req: Request, peer: Peer): Promise<Response> => {
    if (!isForUs(platform, new URL(req.url).pathname, req.headers)) return nobodyHere();
    const wantsPage = isNavigation(req) && SHARED_WITH_PAGES.test(new URL(req.url).pathname);
    return (
      (wantsPage ? await page(req) : null) ??
      (await trpc(req, peer)) ??
      (await plain(req, peer)) ??
      (await page(req)) ??
      (await notFound(deps, req, peer))
    );
  };
  const answer = (req: Request, peer: Peer): Promise<Response> =>
    answered(req, peer).catch((err: unknown) => {
      const requestId = newRequestId();
      deps.log.error({ err, requestId }, "request failed");
      const response = failure(toDomainError(err), requestId);
      addSecurityHeaders(response.headers);
      return response;
    });
  return {
    answer,
    serve: (req, res) => {
      const peer = { ip: req.socket.remoteAddress ?? "unknown", raw: { req, res } };
      return serveNode(req, res, (request) => answer(request, peer));
    },
    upgrade: (req, socket, head) => {
      // Nobody listens any more once Node has handed the socket over, and an error would be fatal.
      socket.on("error", () => socket.destroy());
      const [pathname = "/"] = (req.url ?? "/").split("?");
      // accept() never rejects: a refusal is answered on the socket.
      const isOurs = isForUs(platform, pathname, headersOf(req));
      if (isOurs && pathname === "/ws") void sockets.accept(req, socket, head);
      else if (isOurs && TerminalSockets.isFor(pathname)) void terminals.accept(req, socket, head);
      else socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    },
    stop: async () => {
      await limiter.stop();
      await notifies.stop();
      await streams.stop();
      await sockets.stop();
      await terminals.stop();
      await templates.stop();
      await hub.stop();
    },
  };
}

function isNavigation(req: Request): boolean {
  return req.method === "GET" && (req.headers.get("accept") ?? "").startsWith("text/html");
}
