import { DomainError } from "@molecule/domain/errors";
import type { Runtime } from "@molecule/domain/sets";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { hintWork } from "../events/append-event.ts";
import { removedError } from "../lifecycle/lock-workspace.ts";
import { workspaces } from "../schema/workspaces.ts";

/** What can change about a workspace outside its configuration document; absent fields stay. */
export interface WorkspaceChange {
  readonly name?: string;
  readonly role?: string | null;
  readonly tier?: number;
  readonly runtime?: Runtime;
  readonly parentId?: string | null;
  readonly workspaceDir?: string | null;
  readonly budgetLimit?: number | null;
  readonly hibernationIdleMinutes?: number | null;
  /** Waiting messages it gets at once, at least 1. */
  readonly maxConcurrentTasks?: number;
}

/** What is decided from before a change. */
export interface WorkspaceFacts {
  readonly id: string;
  readonly name: string;
  readonly role: string | null;
  readonly tier: number;
  readonly runtime: Runtime;
  readonly parentId: string | null;
  readonly isExternal: boolean;
  readonly budgetLimit: number | null;
  readonly hibernationIdleMinutes: number | null;
  readonly maxConcurrentTasks: number;
  readonly monthlySpend: number;
}

/**
 * The workspace, locked until the transaction ends.
 * @throws DomainError `not_found`, `removed`.
 */
export async function lockForChange(tx: Transaction, id: string): Promise<WorkspaceFacts> {
  const [row] = await ormOf(tx)
    .select({
      id: workspaces.id,
      name: workspaces.name,
      role: workspaces.role,
      tier: workspaces.tier,
      runtime: workspaces.runtime,
      parentId: workspaces.parentId,
      backend: workspaces.backend,
      intent: workspaces.intent,
      removedAt: workspaces.removedAt,
      budgetLimit: workspaces.budgetLimit,
      hibernationIdleMinutes: workspaces.hibernationIdleMinutes,
      maxConcurrentTasks: workspaces.maxConcurrentTasks,
      monthlySpend: workspaces.monthlySpend,
    })
    .from(workspaces)
    .where(eq(workspaces.id, id))
    .for("update");
  if (row === undefined) throw new DomainError("not_found", "There is no such workspace.");
  const { backend, intent, removedAt, ...facts } = row;
  if (intent === "deleted") throw removedError(id, removedAt);
  return { ...facts, isExternal: backend === "external" };
}

/** Writes the change; a change of nothing writes nothing. */
export async function updateWorkspace(
  tx: Transaction,
  id: string,
  change: WorkspaceChange,
): Promise<void> {
  if (Object.keys(change).length === 0) return;
  // When it sleeps is a timer of the reconciler, which sets it anew.
  const timer =
    change.hibernationIdleMinutes === undefined
      ? {}
      : {
          nextActionAt: sql`CASE WHEN ${workspaces.phase} = 'READY' THEN cp_now() ELSE ${workspaces.nextActionAt} END`,
        };
  await ormOf(tx)
    .update(workspaces)
    .set({ ...change, ...timer })
    .where(eq(workspaces.id, id));
  if (change.hibernationIdleMinutes !== undefined) await hintWork(tx, id);
}
