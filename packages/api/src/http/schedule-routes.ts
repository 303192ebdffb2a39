import {
  createScheduleBody,
  patchScheduleBody,
  runScheduleBody,
} from "@molecule/contracts/schedules";
import { DomainError } from "@molecule/domain/errors";
import { actorOf } from "../context.ts";
import { checkAccess } from "../services/registry/find-agents.ts";
import {
  changeSchedule,
  createSchedule,
  readAllSchedules,
  readRuns,
  readSchedules,
  removeSchedule,
  type ScheduleName,
} from "../services/schedules/manage-schedules.ts";
import { runSchedule } from "../services/schedules/run-schedule.ts";
import {
  wireHealth,
  wireRun,
  wireSchedule,
  wireWatched,
} from "../services/schedules/view-schedule.ts";
import { ADMIN, SIGNED_IN, WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

const DEFAULT_ZONE = "UTC";

/** Schedules. Source: wire contract §13. */
export const scheduleRoutes: readonly Route[] = [
  route("GET", "/workspaces/:id/schedules", WORKSPACE, list),
  route("POST", "/workspaces/:id/schedules", WORKSPACE, create),
  route("GET", "/workspaces/:id/schedules/health", SIGNED_IN, health),
  route("PATCH", "/workspaces/:id/schedules/:scheduleId", WORKSPACE, patch),
  route("DELETE", "/workspaces/:id/schedules/:scheduleId", WORKSPACE, remove),
  route("POST", "/workspaces/:id/schedules/:scheduleId/run", WORKSPACE, run),
  route("GET", "/workspaces/:id/schedules/:scheduleId/history", WORKSPACE, history),
  route("GET", "/admin/schedules/health", ADMIN, async ({ deps }) =>
    ok((await readAllSchedules(deps)).map(wireWatched)),
  ),
];

async function list({ deps, workspaceId }: RequestContext): Promise<Response> {
  return ok((await readSchedules(deps, workspaceId)).schedules.map(wireSchedule));
}

async function create(context: RequestContext): Promise<Response> {
  const body = await context.body(createScheduleBody);
  const row = await createSchedule(context.deps, context.workspaceId, {
    name: body.name ?? "",
    cronExpr: body.cron_expr,
    timezone: body.timezone || DEFAULT_ZONE,
    prompt: body.prompt,
    enabled: body.enabled ?? true,
    source: "runtime",
  });
  const next = row.nextRunAt?.toISOString() ?? null;
  return json(201, { id: row.id, status: "created", next_run_at: next });
}

async function patch(context: RequestContext): Promise<Response> {
  const body = await context.body(patchScheduleBody);
  await changeSchedule(context.deps, nameOf(context), {
    ...(isGiven(body.name) ? { name: body.name } : {}),
    ...(isGiven(body.cron_expr) ? { cronExpr: body.cron_expr } : {}),
    ...(isGiven(body.timezone) ? { timezone: body.timezone || DEFAULT_ZONE } : {}),
    ...(isGiven(body.prompt) ? { prompt: body.prompt } : {}),
    ...(isGiven(body.enabled) ? { enabled: body.enabled } : {}),
  });
  return ok({ status: "updated" });
}

async function remove(context: RequestContext): Promise<Response> {
  await removeSchedule(context.deps, nameOf(context));
  return ok({ status: "deleted" });
}

/** Ours runs it. With `dispatch:false` it is only looked up, for a client that sends it itself. */
async function run(context: RequestContext): Promise<Response> {
  const { deps, auth, workspaceId } = context;
  const body = await context.body(runScheduleBody);
  if (body.dispatch === false) {
    const { schedule } = await readRuns(deps, nameOf(context));
    return ok({ status: "fired", workspace_id: workspaceId, prompt: schedule.prompt });
  }
  const started = await runSchedule(deps, nameOf(context), actorOf(auth));
  return ok({
    status: "fired",
    workspace_id: workspaceId,
    prompt: started.run.prompt,
    dispatched: true,
    run_id: started.run.id,
    message_id: started.run.messageId,
  });
}

async function history(context: RequestContext): Promise<Response> {
  const { runs } = await readRuns(context.deps, nameOf(context));
  return ok(runs.map(wireRun));
}

/** People, and agents that may speak to this one. */
async function health({ deps, auth, workspaceId }: RequestContext): Promise<Response> {
  if (auth.kind === "workspace" && auth.workspaceId !== workspaceId) {
    const pair = { callerId: auth.workspaceId, targetId: workspaceId };
    if (!(await checkAccess(deps, pair))) {
      throw new DomainError("forbidden", "These two agents may not speak to each other.");
    }
  }
  return ok((await readSchedules(deps, workspaceId)).schedules.map(wireHealth));
}

function nameOf({ workspaceId, params }: RequestContext): ScheduleName {
  return { workspaceId, id: params.scheduleId ?? "" };
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
