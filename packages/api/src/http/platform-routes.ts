import { viewportInput } from "@molecule/contracts/procedures";
import { isConnectionError } from "@molecule/db/database";
import {
  cursorOf,
  isReachable,
  type LoggedEvent,
  newestEvents,
  parseCursor,
  readPage,
} from "@molecule/db/events/read-events";
import { readViewport } from "@molecule/db/layouts/layouts";
import { countHeld, readTallies } from "@molecule/db/ledger/tallies";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../deps.ts";
import { saveViewport } from "../services/canvas/save-viewport.ts";
import { ADMIN, OPEN, SIGNED_IN } from "./guards.ts";
import { METRICS_TYPE, type PlatformCounts, renderTallies } from "./metrics.ts";
import type { RequestContext } from "./request-context.ts";
import { isOwnMachine } from "./resolve-auth.ts";
import { ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

const EVENTS_SHOWN = 100;
/** Numbers only and no bounds but sanity: the plain route strips unknown keys. */
const viewportBody = viewportInput.strip();

/** What is about the platform itself. Source: wire contract §16.1 and §17. */
export const platformRoutes: readonly Route[] = [
  route("GET", "/health", OPEN, () => ok({ status: "ok" })),
  route("GET", "/buildinfo", OPEN, ({ deps }) => ok({ git_sha: deps.platform.gitSha })),
  route("GET", "/metrics", { kind: "open", reads: "credential" }, metrics),
  route("GET", "/events", ADMIN, events),
  route("GET", "/events/:id", { kind: "admin", removedIs: "handled" }, events),
  route("GET", "/canvas/viewport", SIGNED_IN, async ({ deps }) => ok(await readViewport(deps.db))),
  route("PUT", "/canvas/viewport", SIGNED_IN, putViewport),
];

async function metrics({ deps, auth, req, peer }: RequestContext): Promise<Response> {
  const isOperator = auth.kind === "admin" || auth.kind === "member";
  if (!isOperator && !isScrapedHere(req.headers, peer.ip)) {
    throw new DomainError(
      "unauthenticated",
      "Metrics need the admin token, or a loopback address.",
    );
  }
  const own = await deps.metrics.render();
  const counted = await renderTallies(await countsOf(deps));
  return new Response(`${own}\n${counted}`, { headers: { "content-type": METRICS_TYPE } });
}

/** What the process counts is told also while the database is away. */
async function countsOf({ db }: Deps): Promise<PlatformCounts | null> {
  try {
    const [tallies, held] = await Promise.all([readTallies(db), countHeld(db)]);
    return { tallies, held };
  } catch (error) {
    if (isConnectionError(error)) return null;
    throw error;
  }
}

/** From this machine, and not through a proxy on it that says whom it asks for. */
function isScrapedHere(headers: Headers, ip: string): boolean {
  const isPassedOn = ["forwarded", "x-forwarded-for", "x-real-ip"].some((one) => headers.has(one));
  return !isPassedOn && isOwnMachine(headers, ip);
}

/** The newest first; with `after`, what came since that cursor, the oldest first. */
async function events({ deps, workspaceId, query }: RequestContext): Promise<Response> {
  const page = {
    ...(workspaceId === "" ? {} : { subjectId: workspaceId }),
    limit: EVENTS_SHOWN,
  };
  const after = query.get("after");
  if (after === null) return ok((await newestEvents(deps.db, page)).map(viewEvent));
  const cursor = parseCursor(after);
  if (cursor === null) {
    throw new DomainError("bad_request", "The field “after” is no cursor of an event.", {
      details: { field: "after" },
    });
  }
  if (!(await isReachable(deps.db, cursor))) {
    throw new DomainError("removed", "The log does not reach back to this cursor.", {
      next: "Begin without it.",
    });
  }
  return ok((await readPage(deps.db, { ...page, after: cursor })).map(viewEvent));
}

function viewEvent({ position, event, subjectId, payload, at }: LoggedEvent) {
  return {
    id: String(position.id),
    event_type: event,
    workspace_id: subjectId,
    payload,
    created_at: at.toISOString(),
    cursor: cursorOf(position),
  };
}

async function putViewport({ deps, auth, body }: RequestContext): Promise<Response> {
  const view = await body(viewportBody);
  if (auth.kind === "member" && auth.member.role === "viewer") {
    throw new DomainError("forbidden", "You can look at everything here, but not change it.");
  }
  await saveViewport(deps, view);
  return ok({ status: "saved" });
}
