import { fireNow } from "@molecule/db/schedules/fire-schedule";
import {
  requireSchedule,
  type ScheduleRow,
  type ScheduleRunRow,
} from "@molecule/db/schedules/schedule-rows";
import { DomainError } from "@molecule/domain/errors";
import type { ScheduleSkip } from "@molecule/domain/schedule";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { refOf, type ScheduleName } from "./manage-schedules.ts";

/**
 * Queues the message of a schedule now; its next run stays as it is. SPEC: SC11.
 * @throws DomainError `not_found`; `workspace_unreachable` or `budget_exceeded` where the agent cannot get
 * it without a person.
 */
export async function runSchedule(
  deps: Deps,
  name: ScheduleName,
  actor: Actor,
): Promise<{ readonly schedule: ScheduleRow; readonly run: ScheduleRunRow }> {
  const schedule = await requireSchedule(deps.db, refOf(name));
  const fired = await deps.db.transaction((tx) => fireNow(tx, schedule.id, actor));
  if (fired === null) throw new DomainError("not_found", "This workspace has no such schedule.");
  if (fired.kind === "sent") {
    deps.dispatcher.poke();
    return { schedule, run: fired.run };
  }
  throw new DomainError(
    fired.reason === "budget" ? "budget_exceeded" : "workspace_unreachable",
    fired.sentence,
    { next: NEXT[fired.reason], details: { reason: fired.reason } },
  );
}

const NEXT: Readonly<Record<ScheduleSkip, string>> = {
  paused: "Resume it, then run the schedule again.",
  failed: "Look at its card for the cause, then press Retry.",
  no_address: "Connect the agent; it registers its url.",
  budget: "Raise its budget or wait for the next month.",
  still_waiting: "It is delivered as soon as the agent can take it.",
};
