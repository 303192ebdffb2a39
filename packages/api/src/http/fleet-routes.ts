import { DomainError } from "@molecule/domain/errors";
import { RUNTIMES, type Runtime } from "@molecule/domain/sets";
import { actorOf } from "../context.ts";
import { readRefresh, refreshImages } from "../services/fleet/refresh-images.ts";
import { ADMIN } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Work over the whole fleet. Source: wire contract §17. */
export const fleetRoutes: readonly Route[] = [
  route("POST", "/admin/workspace-images/refresh", ADMIN, refresh),
  route("GET", "/admin/workspace-images/refresh", ADMIN, showRefresh),
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
