import { attachment } from "@molecule/contracts/wire";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { z } from "zod";
import {
  delegateTask,
  noteDelegation,
  reportDelegation,
  viewDelegations,
} from "../services/a2a/delegate-task.ts";
import { WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

const task = z.string().min(1).max(200_000);
const delegateBody = z.object({
  target_id: z.string().min(1),
  task,
  idempotency_key: z.string().max(512).nullish(),
  /** Files of the delegator, as `notify` names them. */
  attachments: z.array(attachment).max(64).nullish(),
});
const recordBody = z.object({
  target_id: z.string().min(1),
  task,
  delegation_id: z.string().min(1).max(512),
});
const updateBody = z.object({
  status: z.enum(["completed", "failed", "queued"]),
  error: z.string().nullish(),
  response_preview: z.string().nullish(),
});

/** Delegation. Source: wire contract §7. */
export const delegationRoutes: readonly Route[] = [
  route("POST", "/workspaces/:id/delegate", WORKSPACE, delegate),
  route("POST", "/workspaces/:id/delegations/record", WORKSPACE, record),
  route("POST", "/workspaces/:id/delegations/:delegationId/update", WORKSPACE, update),
  route("GET", "/workspaces/:id/delegations", WORKSPACE, async ({ deps, workspaceId }) =>
    ok(await viewDelegations(deps, workspaceId)),
  ),
];

async function delegate(context: RequestContext): Promise<Response> {
  const body = await context.body(delegateBody);
  const targetId = idOf(body.target_id);
  const key = body.idempotency_key ?? "";
  const answer = await delegateTask(context.deps, {
    sourceId: context.workspaceId,
    targetId,
    task: body.task,
    idempotencyKey: key === "" ? null : key,
    attachments: body.attachments ?? undefined,
  });
  const told = {
    delegation_id: answer.delegationId,
    status: answer.status,
    target_id: targetId,
    ...(answer.isRepeated ? { idempotent_hit: true } : {}),
  };
  // Runtimes take 202 for yes and nothing else, so a repeated key is answered with it as well.
  return json(202, told);
}

async function record(context: RequestContext): Promise<Response> {
  const body = await context.body(recordBody);
  const delegationId = body.delegation_id;
  await noteDelegation(context.deps, {
    sourceId: context.workspaceId,
    targetId: idOf(body.target_id),
    task: body.task,
    delegationId,
  });
  return json(202, { delegation_id: delegationId, status: "recorded" });
}

async function update(context: RequestContext): Promise<Response> {
  const body = await context.body(updateBody);
  const delegationId = context.params.delegationId ?? "";
  await reportDelegation(context.deps, {
    workspaceId: context.workspaceId,
    delegationId,
    status: body.status,
    error: body.error ?? null,
    preview: body.response_preview ?? null,
  });
  return ok({ status: body.status, delegation_id: delegationId });
}

function idOf(text: string): string {
  const id = parseWorkspaceId(text);
  if (id === null) throw new DomainError("bad_request", "The target_id must be a UUID.");
  return id;
}
