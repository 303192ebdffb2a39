import { lockWorkspace } from "@molecule/db/lifecycle/lock-workspace";
import { loadTarget } from "@molecule/db/registry/targets";
import { runsItsOwn } from "@molecule/db/schedules/runs-its-own";
import {
  deleteSchedule,
  insertSchedule,
  listAllSchedules,
  listRuns,
  listSchedules,
  readNow,
  requireSchedule,
  requireTimes,
  type ScheduleRow,
  type ScheduleRunRow,
  type ScheduleWishes,
  updateSchedule,
  type WatchedSchedule,
} from "@molecule/db/schedules/schedule-rows";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import type { ScheduleSource } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";

/** Which schedule; the id as it came. */
export interface ScheduleName {
  readonly workspaceId: string;
  readonly id: string;
}

/** Runs of one schedule that a list shows. Source: wire contract §13. */
const SHOWN_RUNS = 20;
const PREVIEWED_RUNS = 3;

/** Every schedule of a workspace, oldest first. @throws DomainError `not_found`. */
export async function readSchedules(
  deps: Deps,
  workspaceId: string,
): Promise<{ readonly schedules: ScheduleRow[]; readonly runtimeRunsThem: boolean }> {
  if ((await loadTarget(deps.db, workspaceId)) === null) {
    throw new DomainError("not_found", "There is no such workspace.");
  }
  const [schedules, runtimeRunsThem] = await Promise.all([
    listSchedules(deps.db, workspaceId),
    runsItsOwn(deps.db, workspaceId),
  ]);
  return { schedules, runtimeRunsThem };
}

/** Every schedule of the organisation with whose it is, for whoever watches over them. */
export async function readAllSchedules(deps: Deps): Promise<WatchedSchedule[]> {
  return await listAllSchedules(deps.db);
}

/** @throws DomainError `bad_request` naming the field, `not_found`, `removed`, `rate_limited`. */
export async function createSchedule(
  deps: Deps,
  workspaceId: string,
  wishes: ScheduleWishes & { readonly source: ScheduleSource },
): Promise<ScheduleRow> {
  return await deps.db.transaction(async (tx) => {
    await lockWorkspace(tx, workspaceId);
    return await insertSchedule(tx, workspaceId, wishes);
  });
}

/** @throws DomainError `bad_request` naming the field, `not_found`. */
export async function changeSchedule(
  deps: Deps,
  name: ScheduleName,
  changes: Partial<ScheduleWishes>,
): Promise<ScheduleRow> {
  const ref = refOf(name);
  return await deps.db.transaction((tx) => updateSchedule(tx, ref, changes));
}

/** @throws DomainError `not_found`. */
export async function removeSchedule(deps: Deps, name: ScheduleName): Promise<void> {
  const ref = refOf(name);
  await deps.db.transaction((tx) => deleteSchedule(tx, ref));
}

/** The newest runs first. @throws DomainError `not_found`. */
export async function readRuns(
  deps: Deps,
  name: ScheduleName,
): Promise<{ readonly schedule: ScheduleRow; readonly runs: ScheduleRunRow[] }> {
  const schedule = await requireSchedule(deps.db, refOf(name));
  return { schedule, runs: await listRuns(deps.db, schedule.id, SHOWN_RUNS) };
}

/** The next times of a schedule that nobody has saved. @throws DomainError `bad_request`. */
export async function previewRuns(
  deps: Deps,
  of: Pick<ScheduleWishes, "cronExpr" | "timezone">,
): Promise<Date[]> {
  const times = requireTimes(of);
  const runs: Date[] = [];
  let at = times.after(await readNow(deps.db));
  while (at !== null && runs.length < PREVIEWED_RUNS) {
    runs.push(at);
    at = times.after(at);
  }
  return runs;
}

/** The name with a well-formed id. @throws DomainError `not_found`. */
export function refOf({ workspaceId, id }: ScheduleName): ScheduleName {
  const parsed = parseWorkspaceId(id);
  if (parsed === null) throw new DomainError("not_found", "This workspace has no such schedule.");
  return { workspaceId, id: parsed };
}
