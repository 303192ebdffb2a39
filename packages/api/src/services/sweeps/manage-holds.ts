import type { SweepHoldView } from "@molecule/contracts/sweeps";
import { decideHold, listHolds, type SweepHold } from "@molecule/db/sweep/holds";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import type { SweepHoldState } from "@molecule/domain/sets";
import { type Auth, actorOf } from "../../context.ts";
import type { Deps } from "../../deps.ts";

/** Every question of a sweep that stands, the oldest first; answered ones included. */
export async function readHolds(deps: Deps): Promise<SweepHoldView[]> {
  return (await listHolds(deps.db)).map(viewOf);
}

/**
 * Answers a question: confirmed, the next sweep does exactly what was shown.
 * @throws DomainError `forbidden` (not the owner), `not_found` (it does not stand any more).
 */
export async function answerHold(
  deps: Deps,
  auth: Auth,
  answer: { readonly id: string; readonly to: Exclude<SweepHoldState, "open"> },
): Promise<void> {
  if (auth.kind === "member" && auth.member.role !== "owner") {
    throw new DomainError("forbidden", "Only the owner can decide this.", {
      next: "Ask the owner of this organisation.",
    });
  }
  const id = parseWorkspaceId(answer.id);
  if (id === null) throw new DomainError("bad_request", "The id of a question is a UUID.");
  const actor = actorOf(auth);
  await deps.db.transaction((tx) => decideHold(tx, { id, to: answer.to, actor }));
}

function viewOf(hold: SweepHold): SweepHoldView {
  const { evidence } = hold;
  const removals = evidence.kind === "removals" ? evidence.removals : [];
  return {
    id: hold.id,
    backend: hold.backend,
    kind: hold.kind,
    state: hold.state,
    ...wordsOf(hold),
    since: hold.since.toISOString(),
    lastSeenAt: hold.lastSeenAt.toISOString(),
    decidedBy: hold.decidedBy,
    removals: removals.map((one) => ({ ...one, name: hold.names.get(one.workspaceId) ?? null })),
    listed: evidence.kind === "removals" ? evidence.listed : null,
  };
}

function wordsOf({ backend, evidence }: SweepHold) {
  if (evidence.kind === "removals") {
    const count = evidence.removals.length;
    return {
      sentence: `${count} of ${evidence.listed} instances on the backend "${backend}" belong to nothing that this database knows as running. Is this the right database?`,
      onConfirm: `Removes exactly these ${count} instances.`,
      onDismiss: "Leaves them alone, and asks again only when others are added or some are gone.",
    };
  }
  return {
    sentence: `The machine that answers for the backend "${backend}" is not the one that ${evidence.expected} agents ran on.`,
    onConfirm: "Starts the agents on this machine, with everything that was saved.",
    onDismiss: "Waits for the other machine.",
  };
}
