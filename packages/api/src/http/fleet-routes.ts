import { DomainError } from "@molecule/domain/errors";
import { RUNTIMES, type Runtime } from "@molecule/domain/sets";
import { actorOf } from "../context.ts";
import {
  continueRedeployment,
  endRedeployment,
  readRedeployment,
  startRedeployment,
} from "../services/fleet/redeploy.ts";
import { readRefresh, refreshImages } from "../services/fleet/refresh-images.ts";
import { ADMIN } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Work over the whole fleet. Source: wire contract §17. */
export const fleetRoutes: readonly Route[] = [
  route("POST", "/admin/workspace-images/refresh", ADMIN, refresh),
  route("GET", "/admin/workspace-images/refresh", ADMIN, showRefresh),
  route("POST", "/admin/workspaces/redeploy", ADMIN, redeploy),
  route("GET", "/admin/workspaces/redeploy", ADMIN, showRedeployment),
  route("POST", "/admin/workspaces/redeploy/stop", ADMIN, stop),
  route("POST", "/admin/workspaces/redeploy/resume", ADMIN, resume),
];

async function refresh({ deps, auth, query }: RequestContext): Promise<Response> {
  const wish = {
    runtime: runtimeOf(query.get("runtime")),
    recreate: flagOf(query.get("recreate"), "recreate"),
  };
  return ok(await refreshImages(deps, actorOf(auth), wish));
}

async function showRefresh({ deps }: RequestContext): Promise<Response> {
  const view = await readRefresh(deps);
  if (view === null) throw new DomainError("not_found", "The images were never refreshed.");
  return ok(view);
}

/** Bounds of what a redeployment is asked for with; the deadline in seconds. */
const BATCH = { name: "batch", min: 1, max: 100 };
const DEADLINE = { name: "deadline", min: 10, max: 86_400 };
const DEFAULT_BATCH = 3;

/** Goes on after the answer: 202, and GET shows how far it is. */
async function redeploy({ deps, auth, query }: RequestContext): Promise<Response> {
  const seconds = numberOf(query, DEADLINE);
  const view = await startRedeployment(deps, actorOf(auth), {
    runtime: runtimeOf(query.get("runtime")),
    batch: numberOf(query, BATCH) ?? DEFAULT_BATCH,
    batchTimeoutMs: seconds === null ? null : seconds * 1_000,
  });
  return json(202, view);
}

async function showRedeployment({ deps }: RequestContext): Promise<Response> {
  return ok(await readRedeployment(deps));
}

async function stop({ deps, auth }: RequestContext): Promise<Response> {
  return ok(await endRedeployment(deps, actorOf(auth)));
}

async function resume({ deps, auth }: RequestContext): Promise<Response> {
  return json(202, await continueRedeployment(deps, actorOf(auth)));
}

/** Null when absent. @throws DomainError `bad_request` for what is no whole number within bounds. */
function numberOf(
  query: URLSearchParams,
  { name, min, max }: { readonly name: string; readonly min: number; readonly max: number },
): number | null {
  const text = query.get(name);
  if (text === null || text === "") return null;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new DomainError(
    "bad_request",
    `The parameter “${name}” is a number from ${min} to ${max}.`,
    {
      details: { field: name },
    },
  );
}

/** Runtimes that have an image. */
const KNOWN_RUNTIMES: readonly Runtime[] = RUNTIMES.filter((runtime) => runtime !== "external");

/** Null when none is named. @throws DomainError `bad_request` with `known_runtimes`. */
function runtimeOf(text: string | null): Runtime | null {
  if (text === null || text === "") return null;
  const known = KNOWN_RUNTIMES.find((runtime) => runtime === text);
  if (known !== undefined) return known;
  throw new DomainError("bad_request", "There is no such runtime.", {
    details: { field: "runtime", known_runtimes: KNOWN_RUNTIMES },
  });
}

/** True when absent. */
function flagOf(text: string | null, name: string): boolean {
  if (text === null || text === "" || text === "true") return true;
  if (text === "false") return false;
  throw new DomainError("bad_request", `The parameter “${name}” is true or false.`, {
    details: { field: name },
  });
}
