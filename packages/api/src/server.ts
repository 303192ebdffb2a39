import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Deps } from "./deps.ts";
import { EventHub } from "./events/event-hub.ts";
import { OpenStreams } from "./events/open-streams.ts";
import { WebSocketStreams } from "./events/web-socket-streams.ts";
import { allRoutes } from "./http/all-routes.ts";
import { createRequestHandler, type HandleRequest, notFound } from "./http/handle-request.ts";
import { createTrpcHandler } from "./http/handle-trpc.ts";
import { RateLimiter } from "./http/rate-limit.ts";
import type { Peer } from "./http/request-context.ts";

/** The API of one process. */
export interface Api {
  /** Answers tRPC and every plain route; null for a path that is neither. Never rejects. */
  readonly handle: HandleRequest;
  /** The 404 for what nobody else answers either. */
  notFound(req: Request, peer: Peer): Promise<Response>;
  /** Takes or refuses an upgrade to a WebSocket; false for a path that has none. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Ends every stream; requests under way are the listener's to wait for. */
  stop(): Promise<void>;
}

/** Starts the API: follows the event log and answers requests. Rejects without a database. */
export async function startApi(deps: Deps): Promise<Api> {
  const hub = await EventHub.start(deps);
  const streams = await OpenStreams.start(deps);
  const sockets = new WebSocketStreams({ deps, hub, streams });
  const state = { deps, limiter: new RateLimiter(deps.platform.rateLimit) };
  const trpc = createTrpcHandler(state);
  const plain = createRequestHandler(state, allRoutes({ hub, streams }));
  return {
    handle: async (req, peer) => (await trpc(req, peer)) ?? (await plain(req, peer)),
    notFound: (req, peer) => notFound(deps, req, peer),
    upgrade: (req, socket, head) => {
      const { pathname } = new URL(req.url ?? "/", "http://localhost");
      if (pathname !== "/ws") return false;
      // accept() never rejects: it answers a refusal on the socket.
      void sockets.accept(req, socket, head);
      return true;
    },
    stop: async () => {
      await streams.stop();
      await sockets.stop();
      await hub.stop();
    },
  };
}
