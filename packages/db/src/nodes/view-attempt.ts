import type { AttemptView } from "@molecule/contracts/workspaces";
import type { PublicFailure } from "@molecule/domain/errors";
import { attempts } from "../schema/workspaces.ts";

/** The columns an attempt is shown from; never its snapshot or its log. */
export const attemptColumns = {
  no: attempts.no,
  reason: attempts.reason,
  detail: attempts.detail,
  actorKind: attempts.actorKind,
  actorId: attempts.actorId,
  actorName: attempts.actorName,
  stage: attempts.stage,
  stages: attempts.stages,
  expectedMs: attempts.expectedMs,
  outcome: attempts.outcome,
  failure: attempts.failure,
  createdAt: attempts.createdAt,
  readyAt: attempts.readyAt,
  endedAt: attempts.endedAt,
};

type AttemptColumns = {
  [K in keyof typeof attemptColumns]: (typeof attempts.$inferSelect)[K];
};

/** An attempt as the card and the ledger show it. */
export function viewAttempt(row: AttemptColumns): AttemptView {
  return {
    no: row.no,
    reason: row.reason,
    detail: row.detail,
    actor: {
      kind: row.actorKind,
      name: row.actorName,
      ...(row.actorId === null ? {} : { id: row.actorId }),
    },
    stage: row.stage,
    stages: row.stages,
    expectedMs: row.expectedMs,
    outcome: row.outcome,
    failure: viewFailure(row.failure),
    createdAt: row.createdAt.toISOString(),
    readyAt: isoOrNull(row.readyAt),
    endedAt: isoOrNull(row.endedAt),
  };
}

/** A stored failure in the form that is sent. */
export function viewFailure(failure: PublicFailure | null): AttemptView["failure"] {
  if (failure === null) return null;
  const { missing, ...rest } = failure;
  return missing === undefined ? rest : { ...rest, missing: [...missing] };
}

/** ISO text, or null. */
export function isoOrNull(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}
