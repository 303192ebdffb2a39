import type { Transaction } from "../database.ts";
import { insertSchedule, type ScheduleWishes, templateScheduleNames } from "./schedule-rows.ts";

/**
 * Gives a workspace the schedules of its template, but for those that it got before: what somebody
 * changed since stays. The caller has locked the workspace. @throws DomainError `bad_request`.
 */
export async function importSchedules(
  tx: Transaction,
  workspaceId: string,
  wanted: readonly ScheduleWishes[],
): Promise<void> {
  if (wanted.length === 0) return;
  const known = await templateScheduleNames(tx, workspaceId);
  for (const wishes of wanted) {
    if (known.has(wishes.name)) continue;
    await insertSchedule(tx, workspaceId, { ...wishes, source: "template" });
  }
}
