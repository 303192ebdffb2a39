import type { SweepHoldView } from "@molecule/contracts/sweeps";
import { answerHold, readHolds } from "../services/sweeps/manage-holds.ts";
import { ADMIN } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** What sweeps ask the owner before they go on; not in the wire contract. */
export const sweepRoutes: readonly Route[] = [
  route("GET", "/admin/sweep-holds", ADMIN, list),
  route("POST", "/admin/sweep-holds/:holdId/confirm", ADMIN, (c) => answer(c, "confirmed")),
  route("POST", "/admin/sweep-holds/:holdId/dismiss", ADMIN, (c) => answer(c, "dismissed")),
];

async function list({ deps }: RequestContext): Promise<Response> {
  return ok({ holds: (await readHolds(deps)).map(wireOf) });
}

async function answer(
  { deps, auth, params }: RequestContext,
  to: "confirmed" | "dismissed",
): Promise<Response> {
  await answerHold(deps, auth, { id: params.holdId ?? "", to });
  return ok({ status: to });
}

function wireOf(hold: SweepHoldView) {
  return {
    id: hold.id,
    backend: hold.backend,
    kind: hold.kind,
    state: hold.state,
    sentence: hold.sentence,
    on_confirm: hold.onConfirm,
    on_dismiss: hold.onDismiss,
    since: hold.since,
    last_seen_at: hold.lastSeenAt,
    decided_by: hold.decidedBy,
    listed: hold.listed,
    removals: hold.removals.map((one) => ({
      provider_id: one.providerId,
      workspace_id: one.workspaceId,
      name: one.name,
      attempt: one.attemptNo,
      rule: one.rule,
    })),
  };
}
