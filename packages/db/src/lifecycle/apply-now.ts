import type { ApplyPolicy } from "@molecule/domain/sets";
import { eq, type SQL, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { workspaces } from "../schema/workspaces.ts";
import { lockWorkspace } from "./lock-workspace.ts";

/**
 * Makes saved changes due at once, without their quiet time; running turns are waited for as by a save.
 * What is held, or waits for an idle agent, is applied like everything else from then on. False when
 * nothing is pending. SPEC: CF3. @throws DomainError `not_found`, `removed`.
 */
export async function applyNow(
  tx: Transaction,
  { workspaceId }: { readonly workspaceId: string },
): Promise<boolean> {
  const { row } = await lockWorkspace(tx, workspaceId);
  if ((row.pendingPolicy ?? row.applyPolicy) !== "settle") {
    return await applyPending(tx, { workspaceId, policy: "settle" });
  }
  if (row.desiredGen <= row.appliedGen || row.backend === "external") return false;
  await makeDue(tx, row, {});
  return true;
}

/**
 * Decides anew how what is saved and not running yet is applied: at once after the running turns
 * (`settle`), when the agent is idle, or not before somebody says so. False when nothing is pending.
 * SPEC: CF3. @throws DomainError `not_found`, `removed`.
 */
export async function applyPending(
  tx: Transaction,
  request: { readonly workspaceId: string; readonly policy: ApplyPolicy },
): Promise<boolean> {
  const { row } = await lockWorkspace(tx, request.workspaceId);
  if (row.desiredGen <= row.appliedGen || row.backend === "external") return false;
  // Before its snapshot an attempt takes everything along.
  if (row.phase === "STOPPING") return true;
  // Running turns are waited for from now on, however long ago it was saved.
  await makeDue(tx, row, { pendingPolicy: request.policy, lastDirtyAt: sql`cp_now()` });
  return true;
}

async function makeDue(
  tx: Transaction,
  row: typeof workspaces.$inferSelect,
  anew: { readonly pendingPolicy?: ApplyPolicy; readonly lastDirtyAt?: SQL },
): Promise<void> {
  await ormOf(tx)
    .update(workspaces)
    .set({
      dirtyIsBatch: true,
      // Where a person stopped the tries nothing is armed, and pressing this arms it.
      firstDirtyAt: sql`COALESCE(${workspaces.firstDirtyAt}, cp_now())`,
      lastDirtyAt: sql`COALESCE(${workspaces.lastDirtyAt}, cp_now())`,
      dirtyStream: sql`COALESCE(${workspaces.dirtyStream}, 'settings')`,
      ...anew,
      ...(row.phase === "READY" || row.phase === "FAILED" ? { nextActionAt: sql`cp_now()` } : {}),
    })
    .where(eq(workspaces.id, row.id));
  await appendEvent(tx, { event: "WORKSPACE_UPDATED", subjectId: row.id, payload: {} });
  await hintWork(tx, row.id);
}
