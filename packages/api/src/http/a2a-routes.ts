import { dropStale } from "@molecule/db/queue/drop-stale";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { type Auth, actorOf } from "../context.ts";
import type { Caller } from "../services/a2a/deliver-and-answer.ts";
import type { ProxyAnswer } from "../services/a2a/proxy-answer.ts";
import { sendMessage } from "../services/a2a/send-message.ts";
import { ADMIN, SIGNED_IN_TOLD } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Callers that exist inside the platform only. Source: wire contract §6.2. */
const INTERNAL_CALLERS = ["webhook:", "system:", "test:", "channel:"];
/** Longest wait a sender may ask for, in seconds. */
const MAX_WAIT_SECONDS = 86_400;

/** The A2A proxy. Source: wire contract §6. */
export const a2aRoutes: readonly Route[] = [
  route("POST", "/workspaces/:id/a2a", SIGNED_IN_TOLD, async (context) => {
    const { req, deps, auth, workspaceId } = context;
    const caller = callerOf(auth, req.headers.get("x-workspace-id"));
    const answer = await sendMessage(deps, {
      targetId: workspaceId,
      caller,
      body: await context.json(),
      waitMs: waitOf(req.headers.get("x-timeout")),
    });
    return respond(context, answer);
  }),
  route("POST", "/admin/a2a-queue/drop-stale", ADMIN, dropStaleMessages),
];

/** Longest age that can be asked about, in minutes: nothing waits for longer. */
const MAX_AGE_MINUTES = 525_600;

/** Source: wire contract §6.7. */
async function dropStaleMessages({ deps, auth, query }: RequestContext): Promise<Response> {
  const age = query.get("max_age_minutes") ?? "60";
  if (!/^\d{1,6}$/.test(age) || Number(age) < 1 || Number(age) > MAX_AGE_MINUTES) {
    throw new DomainError("bad_request", "max_age_minutes must be a whole number from 1 on.");
  }
  const named = query.get("workspace_id") ?? "";
  const workspaceId = named === "" ? undefined : parseWorkspaceId(named);
  if (workspaceId === null) throw new DomainError("bad_request", "workspace_id must be a UUID.");
  const stale = { olderThanMinutes: Number(age), workspaceId, actorName: actorOf(auth).name };
  return ok({ dropped: await deps.db.transaction((tx) => dropStale(tx, stale)) });
}

/** The sender, by credential alone; the header may repeat it and never changes it. */
function callerOf(auth: Auth, header: string | null): Caller {
  if (header !== null && INTERNAL_CALLERS.some((prefix) => header.startsWith(prefix))) {
    throw new DomainError("forbidden", "This caller exists inside the platform only.");
  }
  const claimed = header === null || header === "" ? null : parseWorkspaceId(header);
  if (header !== null && header !== "" && claimed === null) {
    throw new DomainError("bad_request", "X-Workspace-ID must be a workspace id.");
  }
  if (auth.kind === "workspace") {
    if (claimed !== null && claimed !== auth.workspaceId) throw notTheirs();
    return { kind: "workspace", id: auth.workspaceId, name: auth.workspaceName };
  }
  if (claimed !== null) throw notTheirs();
  if (auth.kind === "member" && auth.member.role === "viewer") {
    throw new DomainError("forbidden", "You can look at everything here, but not write to agents.");
  }
  return { kind: "person", name: actorOf(auth).name };
}

function notTheirs(): DomainError {
  return new DomainError(
    "unauthenticated",
    "The token is not one of the workspace in X-Workspace-ID.",
  );
}

function waitOf(header: string | null): number | null {
  const seconds = Number(header ?? "0");
  if (!Number.isInteger(seconds) || seconds <= 0) return null;
  return Math.min(seconds, MAX_WAIT_SECONDS) * 1000;
}

function respond(context: RequestContext, answer: ProxyAnswer): Response {
  if (answer.kind === "stream") {
    return new Response(answer.stream, {
      status: 200,
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        ...answer.headers,
      },
    });
  }
  const body =
    answer.status >= 400 && typeof answer.body === "object"
      ? { ...answer.body, request_id: context.requestId }
      : answer.body;
  return json(answer.status, body, { ...answer.headers });
}
