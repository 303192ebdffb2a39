import type { DomainError } from "@molecule/domain/errors";
import { TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import type { Auth } from "../context.ts";
import { newRequestId, TRPC_CODES, toDomainError } from "../errors.ts";
import { appRouter } from "../root.ts";
import type { HandleRequest, HttpState } from "./handle-request.ts";
import { goneOf, hasBody } from "./incoming.ts";
import { addRateHeaders, type RateState, rateLimited } from "./rate-limit.ts";
import { readBytes } from "./read-body.ts";
import type { Peer } from "./request-context.ts";
import { resolveAuth } from "./resolve-auth.ts";
import { requireJsonType, requireSameOrigin } from "./same-origin.ts";
import { addCorsHeaders, addSecurityHeaders } from "./security-headers.ts";

/** Where tRPC is served. */
const TRPC_PATH = "/trpc";
/** Largest tRPC body: a save carries several files, each of 1 MiB at most. */
const MAX_TRPC_BYTES = 8 * 1_048_576;
/** Most calls of one request: it counts as one towards the limit. */
const MAX_BATCH = 64;

/** Serves the procedures below {@link TRPC_PATH}; null for every other path. Never rejects. */
export function createTrpcHandler({ deps, limiter }: HttpState): HandleRequest {
  return async (req, peer) => {
    const { pathname } = new URL(req.url);
    if (pathname !== TRPC_PATH && !pathname.startsWith(`${TRPC_PATH}/`)) return null;
    const requestId = newRequestId();
    const startedAt = performance.now();
    const admitted = await admit({ deps, limiter }, req, peer);
    if (admitted.refusal?.code === "internal") {
      deps.log.error({ err: admitted.refusal.cause, requestId }, "request failed");
    }
    const response = await fetchRequestHandler({
      endpoint: TRPC_PATH,
      maxBatchSize: MAX_BATCH,
      req: admitted.req,
      router: appRouter,
      createContext: () => {
        const { refusal, auth } = admitted;
        if (refusal === null) return { deps, auth, requestId };
        const code = TRPC_CODES[refusal.code];
        throw new TRPCError({ code, message: refusal.message, cause: refusal });
      },
    });
    const { headers } = response;
    headers.set("x-request-id", requestId);
    if (admitted.rate !== null) addRateHeaders(headers, admitted.rate);
    addCorsHeaders(headers, req.headers.get("origin"), deps.platform.corsOrigins);
    addSecurityHeaders(headers);
    const seconds = (performance.now() - startedAt) / 1000;
    deps.metrics.request({ method: req.method, path: TRPC_PATH, status: response.status }, seconds);
    return response;
  };
}

interface Admitted {
  readonly auth: Auth;
  readonly rate: RateState | null;
  /** Why the call is answered with an error; in tRPC's own form, so that its clients can read it. */
  readonly refusal: DomainError | null;
  /** The request with its body in memory, never more than {@link MAX_TRPC_BYTES}. */
  readonly req: Request;
}

async function admit({ deps, limiter }: HttpState, req: Request, peer: Peer): Promise<Admitted> {
  let auth: Auth = { kind: "anonymous" };
  let rate: RateState | null = null;
  try {
    const resolved = await resolveAuth(deps, req.headers, peer.ip);
    auth = resolved.auth;
    rate = limiter.hit(resolved.credential ?? `ip:${peer.ip}`, deps.now());
    if (rate.isExceeded) throw rateLimited(rate);
    if (req.method !== "GET") {
      if (auth.kind === "member") requireSameOrigin(req);
      requireJsonType(req);
    }
    return { auth, rate, refusal: null, req: await bounded(req) };
  } catch (error) {
    const { url, method } = req;
    const headers = new Headers(req.headers);
    headers.delete("content-length");
    headers.set("content-type", "application/json");
    // Whatever the body was, it is not looked at: making the context fails first.
    const hasNone = method === "GET" || method === "HEAD";
    const bare = new Request(url, { method, headers, ...(hasNone ? {} : { body: "{}" }) });
    return { auth, rate, refusal: toDomainError(error), req: bare };
  }
}

async function bounded(req: Request): Promise<Request> {
  if (!hasBody(req)) return req;
  const body = await readBytes(req, MAX_TRPC_BYTES);
  const { url, method, headers } = req;
  return new Request(url, { method, headers, signal: goneOf(req), body: new Uint8Array(body) });
}
