import { removedError } from "@molecule/db/lifecycle/lock-workspace";
import { findRemoved } from "@molecule/db/workspaces/find-removed";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../deps.ts";
import { newRequestId, toDomainError } from "../errors.ts";
import { bootTokenOf } from "./boot-bearer.ts";
import { canonicalId, checkGuard, type Guard } from "./guards.ts";
import { KnownCallers } from "./known-callers.ts";
import {
  addRateHeaders,
  type Limiter,
  RateLimiter,
  type RateState,
  rateLimited,
} from "./rate-limit.ts";
import {
  onceJson,
  type Peer,
  parseBody,
  type RequestContext,
  requireObject,
} from "./request-context.ts";
import { type ResolvedAuth, resolveAuth } from "./resolve-auth.ts";
import { failure } from "./respond.ts";
import { createRouter, type Route, type RouteMatch } from "./router.ts";
import { requireJsonType, requireSameOrigin } from "./same-origin.ts";
import { addCorsHeaders, addSecurityHeaders } from "./security-headers.ts";

/** Answers a request; never rejects. Null: no route of the table matches. */
export type HandleRequest = (req: Request, peer: Peer) => Promise<Response | null>;

/** What every request of one process shares. */
export interface HttpState {
  readonly deps: Deps;
  readonly limiter: Limiter;
}

/** What the requests of one table share. */
interface TableState extends HttpState {
  readonly callers: KnownCallers;
}

/** What is known of a request while it is answered. */
interface Exchange {
  readonly req: Request;
  readonly url: URL;
  readonly peer: Peer;
  readonly requestId: string;
  rate: RateState | null;
}

/** Serves a route table. */
export function createRequestHandler(state: HttpState, routes: readonly Route[]): HandleRequest {
  const find = createRouter(routes);
  const callers = new KnownCallers();
  return async (req, peer) => {
    const url = new URL(req.url);
    if (req.method === "OPTIONS") return preflight(state.deps, req);
    const match = find(req.method, url.pathname);
    if (match === null) return null;
    const exchange: Exchange = { req, url, peer, requestId: newRequestId(), rate: null };
    return await answered(state, exchange, match.route.path, () =>
      run({ ...state, callers }, exchange, match),
    );
  };
}

/** Answers whatever `work` answers or throws, with the headers that every answer has. */
async function answered(
  state: HttpState,
  exchange: Exchange,
  label: string,
  work: () => Promise<Response>,
): Promise<Response> {
  const { deps } = state;
  const startedAt = performance.now();
  const response = await work().catch((error: unknown) => {
    const known = toDomainError(error);
    const data = { requestId: exchange.requestId, path: label, code: known.code };
    if (known.code === "internal") deps.log.error({ ...data, err: known.cause }, "request failed");
    else if (known.code === "unauthenticated" || known.code === "forbidden") {
      deps.log.info({ ...data, ip: exchange.peer.ip }, "request denied");
    }
    return failure(known, exchange.requestId);
  });
  finish(deps, exchange, response);
  const seconds = (performance.now() - startedAt) / 1000;
  const { method } = exchange.req;
  deps.metrics.request({ method, path: label, status: response.status }, seconds);
  return response;
}

function finish(deps: Deps, exchange: Exchange, response: Response): void {
  const { headers } = response;
  headers.set("x-request-id", exchange.requestId);
  if (exchange.rate !== null) addRateHeaders(headers, exchange.rate);
  addCorsHeaders(headers, exchange.req.headers.get("origin"), deps.platform.corsOrigins);
  addSecurityHeaders(headers);
}

async function run(state: TableState, exchange: Exchange, match: RouteMatch): Promise<Response> {
  const { deps } = state;
  const { req } = exchange;
  const { guard } = match.route;
  const json = onceJson(req);
  const short = await shortAnswer(state, exchange, match.route, json);
  if (short !== null) return short;
  const resolved = await authOf(state, exchange, guard);
  if (match.route.shortcut !== undefined) state.callers.note(req.headers, resolved.credential);
  const workspaceId = await workspaceOf(guard, match.params, json);
  const known: Known = { resolved, workspaceId, json };
  if (!isToldByHandler(guard)) {
    await refuseRemoved(deps, guard, workspaceId, resolved);
    return await handled(state, exchange, match, known);
  }
  return await handled(state, exchange, match, known).catch(async (error: unknown) => {
    await refuseRemoved(deps, guard, workspaceId, resolved);
    throw error;
  });
}

/** What is known of a request before it is judged. */
interface Known {
  readonly resolved: ResolvedAuth;
  readonly workspaceId: string | null;
  readonly json: () => Promise<unknown>;
}

async function handled(
  { deps }: TableState,
  exchange: Exchange,
  match: RouteMatch,
  { resolved, workspaceId, json }: Known,
): Promise<Response> {
  const { req } = exchange;
  const { guard } = match.route;
  const isUnsafe = req.method !== "GET" && req.method !== "HEAD";
  if (!isToldOfItself(guard, workspaceId, resolved) && !isLeftToHandler(guard, req.headers)) {
    checkGuard(guard, resolved.auth, { workspaceId, isUnsafe });
  }
  if (resolved.auth.kind === "member" && isUnsafe && guard.kind !== "open") {
    requireSameOrigin(req);
    if (match.route.takes !== "stream") requireJsonType(req);
  }
  // A route that needs no body still refuses one that is broken or too large.
  if (isUnsafe && match.route.takes !== "stream") requireObject(await json());
  const context: RequestContext = {
    req,
    url: exchange.url,
    params: match.params,
    query: exchange.url.searchParams,
    deps,
    auth: resolved.auth,
    requestId: exchange.requestId,
    peer: exchange.peer,
    workspaceId: workspaceId ?? "",
    body: async (schema) => parseBody(schema, await json()),
    json,
  };
  return await match.route.handle(context);
}

/** By the route's shortcut, for bearers that this process has seen pass; null when it does not apply. */
async function shortAnswer(
  { deps, limiter, callers }: TableState,
  exchange: Exchange,
  { shortcut }: Route,
  json: () => Promise<unknown>,
): Promise<Response | null> {
  const caller = shortcut === undefined ? null : callers.find(exchange.req.headers);
  if (shortcut === undefined || caller === null) return null;
  exchange.rate = limiter.hit(caller.credential, deps.now());
  if (exchange.rate.isExceeded) throw rateLimited(exchange.rate);
  return await shortcut({ deps, tokenSha256: caller.tokenSha256, body: await json() });
}

async function authOf(
  { deps, limiter }: HttpState,
  exchange: Exchange,
  guard: Guard,
): Promise<ResolvedAuth> {
  const resolved: ResolvedAuth =
    guard.kind === "open" && guard.reads !== "credential"
      ? { auth: { kind: "anonymous" }, credential: null, removed: null, hasBearer: false }
      : await resolveAuth(deps, exchange.req.headers, exchange.peer.ip);
  // Already counted where a shortcut was tried.
  exchange.rate ??= limiter.hit(resolved.credential ?? `ip:${exchange.peer.ip}`, deps.now());
  if (exchange.rate.isExceeded) throw rateLimited(exchange.rate);
  return resolved;
}

async function workspaceOf(
  guard: Guard,
  params: Readonly<Record<string, string>>,
  json: () => Promise<unknown>,
): Promise<string | null> {
  if (guard.kind === "registry") {
    const body = await json();
    const named =
      typeof body === "object" && body !== null
        ? (body as Record<string, unknown>)[guard.idField]
        : undefined;
    if (typeof named !== "string" || named === "") {
      throw new DomainError("bad_request", `The field “${guard.idField}” is missing.`);
    }
    return canonicalId(named, false);
  }
  if (params.id === undefined) return null;
  return canonicalId(params.id, guard.kind === "workspace" && guard.strictId === true);
}

/**
 * A removed workspace's token is dead, and still hears from a handler that tells of removed ones that it
 * is: an agent elsewhere would take a 401 for a token to be replaced. Source: wire contract §3.3.
 */
function isToldOfItself(
  guard: Guard,
  workspaceId: string | null,
  { removed }: ResolvedAuth,
): boolean {
  const isHandled = guard.kind === "workspace" && guard.removedIs === "handled";
  return isHandled && removed !== null && removed.id === workspaceId;
}

/** A boot token opens nothing but what its route does with it. SPEC: BT5. */
function isLeftToHandler(guard: Guard, headers: Headers): boolean {
  return "takesBootToken" in guard && bootTokenOf(headers) !== null;
}

/** Whoever passes hears it from the handler, which looks at the workspace anyway; others are told first. */
function isToldByHandler(guard: Guard): boolean {
  return guard.kind === "signed-in" && guard.removedIs === "told";
}

/** 410 comes before authentication: the open GET tells it anyway. Source: lifecycle A4. */
async function refuseRemoved(
  deps: Deps,
  guard: Guard,
  workspaceId: string | null,
  resolved: ResolvedAuth,
): Promise<void> {
  if (workspaceId === null || ("removedIs" in guard && guard.removedIs === "handled")) return;
  const { auth, removed } = resolved;
  if (auth.kind === "workspace" && auth.workspaceId === workspaceId) return;
  const known = removed?.id === workspaceId ? removed : await findRemoved(deps.db, workspaceId);
  if (known !== null) throw removedError(workspaceId, known.removedAt);
}

/** The answer to a browser that asks whether another origin may call. */
function preflight(deps: Deps, req: Request): Response {
  const response = new Response(null, { status: 204 });
  addCorsHeaders(response.headers, req.headers.get("origin"), deps.platform.corsOrigins);
  addSecurityHeaders(response.headers);
  return response;
}

/** The 404 of a path that nothing serves, with the headers every answer has. */
export function notFound(deps: Deps, req: Request, peer: Peer): Promise<Response> {
  const url = new URL(req.url);
  const exchange: Exchange = { req, url, peer, requestId: newRequestId(), rate: null };
  return answered({ deps, limiter: new RateLimiter(0) }, exchange, "unknown", () =>
    Promise.reject(new DomainError("not_found", "There is nothing at this address.")),
  );
}
