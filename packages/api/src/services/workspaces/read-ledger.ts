import type {
  AttemptOpened,
  attemptInput,
  RestartRequestView,
  restartRequestsInput,
  StatusHistory,
  statusHistoryInput,
} from "@molecule/contracts/ledger";
import { listRequests, openAttempt } from "@molecule/db/ledger/read-ledger";
import { readStatusPast } from "@molecule/db/ledger/status-history";
import { DomainError } from "@molecule/domain/errors";
import { statusSpans } from "@molecule/domain/status-history";
import type { z } from "zod";
import type { Deps } from "../../deps.ts";

/** One attempt with everything the ledger knows of it. @throws DomainError `not_found`. */
export async function readAttempt(
  deps: Deps,
  { id, no }: z.infer<typeof attemptInput>,
): Promise<AttemptOpened> {
  const opened = await openAttempt(deps.db, id, no);
  if (opened !== null) return opened;
  throw new DomainError("not_found", `There is no attempt ${no} of this workspace.`, {
    next: "Attempts are kept for 90 days.",
  });
}

/** What asked for a restart and was no attempt of its own, newest first; [] for an unknown one. */
export async function listRestartRequests(
  deps: Deps,
  input: z.infer<typeof restartRequestsInput>,
): Promise<RestartRequestView[]> {
  return await listRequests(deps.db, input.id, input);
}

/** The statuses of the last hours. @throws DomainError `not_found`, also for a removed one. */
export async function readStatusHistory(
  deps: Deps,
  { id, hours }: z.infer<typeof statusHistoryInput>,
): Promise<StatusHistory> {
  const past = await readStatusPast(deps.db, id, hours);
  if (past === null) throw new DomainError("not_found", "There is no such workspace.");
  return {
    from: past.from.toISOString(),
    to: past.to.toISOString(),
    spans: statusSpans(past).map(({ status, from, to }) => ({
      status,
      from: from.toISOString(),
      to: to.toISOString(),
    })),
  };
}
