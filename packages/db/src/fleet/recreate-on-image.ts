import { isDomainError } from "@molecule/domain/errors";
import type { Actor, Backend, Runtime } from "@molecule/domain/sets";
import type { SettleSettings } from "@molecule/domain/settle";
import { and, eq, gt, ne, sql } from "drizzle-orm";
import { recordWrite } from "../changes/record-write.ts";
import { type Database, ormOf, type Queryable, type Transaction } from "../database.ts";
import { type LockedWorkspace, lockWorkspace } from "../lifecycle/lock-workspace.ts";
import { attempts, changes, workspaces } from "../schema/workspaces.ts";

/** One attempt that was seen running on another image than its runtime's name means now. */
export interface OutdatedAttempt {
  readonly workspaceId: string;
  readonly attemptNo: number;
  readonly runtime: Runtime;
  /** The image's name. */
  readonly reference: string;
  readonly actor: Actor;
  readonly settings: SettleSettings;
}

/**
 * Has a workspace start again on the newer image: a write of kind `image`, so that the reconciler
 * restarts it as its apply policy says. True when it will, also when that was asked for before. False
 * when a newer attempt has begun, which takes the newer image by itself, and for a workspace that
 * rests, is gone, or is of another runtime. SPEC: I9.
 */
export async function recreateOnImage(db: Database, seen: OutdatedAttempt): Promise<boolean> {
  try {
    return await db.transaction((tx) => recreate(tx, seen));
  } catch (error) {
    // Removed since it was listed.
    if (isDomainError(error) && (error.code === "removed" || error.code === "not_found")) {
      return false;
    }
    throw error;
  }
}

async function recreate(tx: Transaction, seen: OutdatedAttempt): Promise<boolean> {
  const { row } = await lockWorkspace(tx, seen.workspaceId);
  const isMeant = row.intent === "run" && row.runtime === seen.runtime;
  if (!isMeant || row.currentAttempt !== seen.attemptNo) return false;
  if (await isAskedFor(tx, row)) return true;
  await recordWrite(tx, {
    workspaceId: row.id,
    actor: seen.actor,
    stream: "settings",
    isBatch: true,
    changes: [{ kind: "image", name: seen.reference }],
    settings: seen.settings,
  });
  return true;
}

/** A wish that the attempt under way has in its snapshot is answered by it, and not by the next. */
async function isAskedFor(tx: Transaction, row: LockedWorkspace["row"]): Promise<boolean> {
  const orm = ormOf(tx);
  const [attempt] = await orm
    .select({ snapGen: attempts.snapGen })
    .from(attempts)
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, row.currentAttempt)));
  const answered = Math.max(row.appliedGen, attempt?.snapGen ?? 0);
  const [found] = await orm
    .select({ id: changes.id })
    .from(changes)
    .where(
      and(eq(changes.workspaceId, row.id), eq(changes.kind, "image"), gt(changes.gen, answered)),
    )
    .limit(1);
  return found !== undefined;
}

/** Runtimes of the workspaces on a backend that are not removed, in alphabetical order. */
export async function runtimesOnBackend(q: Queryable, backend: Backend): Promise<Runtime[]> {
  const rows = await ormOf(q)
    .selectDistinct({ runtime: workspaces.runtime, name: sql`${workspaces.runtime}::text` })
    .from(workspaces)
    .where(and(eq(workspaces.backend, backend), ne(workspaces.intent, "deleted")))
    .orderBy(sql`${workspaces.runtime}::text`);
  return rows.map((row) => row.runtime);
}
