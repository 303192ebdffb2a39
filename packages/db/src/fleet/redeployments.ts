import { isDomainError } from "@molecule/domain/errors";
import type { FleetMember, Settled } from "@molecule/domain/redeploy";
import type { Actor } from "@molecule/domain/sets";
import type { SettleSettings } from "@molecule/domain/settle";
import { and, asc, desc, eq, inArray, sql } from "drizzle-orm";
import { recordWrite } from "../changes/record-write.ts";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { fleetJobItems, fleetJobs } from "../schema/fleet.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import { addFleetJob, type FleetJob, type NewFleetJob, OVER } from "./fleet-jobs.ts";

/** A member of a redeployment with what is told of it. */
export interface NamedMember extends FleetMember {
  readonly workspaceId: string;
  readonly name: string;
  readonly runtime: string;
  readonly note: string | null;
  /** Further keys of its configuration: they may say how long a start takes. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/**
 * Writes a redeployment down with its way through the fleet: everything of ours that is meant to run,
 * the oldest first. Null while another one runs.
 */
export async function addRedeployment(
  tx: Transaction,
  wish: Omit<NewFleetJob, "kind">,
): Promise<FleetJob | null> {
  const job = await addFleetJob(tx, { ...wish, kind: "redeploy" });
  if (job === null) return null;
  await ormOf(tx).execute(sql`
    INSERT INTO fleet_job_items (job_id, position, workspace_id)
    SELECT ${job.id}, row_number() OVER (ORDER BY created_at, id), id FROM workspaces
    WHERE intent = 'run' AND backend <> 'external'
      AND (${wish.runtime}::runtime IS NULL OR runtime = ${wish.runtime}::runtime)`);
  return job;
}

/** The members in the order of the walk, as they are now. */
export async function readMembers(q: Queryable, jobId: string): Promise<readonly NamedMember[]> {
  const rows = await ormOf(q)
    .select({ item: fleetJobItems, workspace: workspaces, snapGen: attempts.snapGen })
    .from(fleetJobItems)
    .innerJoin(workspaces, eq(workspaces.id, fleetJobItems.workspaceId))
    .leftJoin(
      attempts,
      and(eq(attempts.workspaceId, workspaces.id), eq(attempts.no, workspaces.currentAttempt)),
    )
    .where(eq(fleetJobItems.jobId, jobId))
    .orderBy(asc(fleetJobItems.position));
  return rows.map(({ item, workspace, snapGen }) => ({
    position: item.position,
    state: item.state,
    gen: item.gen,
    note: item.note,
    intent: workspace.intent,
    phase: workspace.phase,
    health: workspace.health,
    applyPolicy: workspace.pendingPolicy ?? workspace.applyPolicy,
    appliedGen: workspace.appliedGen,
    snapGen,
    workspaceId: workspace.id,
    name: workspace.name,
    runtime: workspace.runtime,
    extra: workspace.config.extra,
  }));
}

/** Writes down what became of members. */
export async function settleMembers(
  tx: Transaction,
  jobId: string,
  settled: readonly Settled[],
): Promise<void> {
  for (const { position, state, note } of settled) {
    await ormOf(tx)
      .update(fleetJobItems)
      .set({ state, note })
      .where(and(eq(fleetJobItems.jobId, jobId), eq(fleetJobItems.position, position)));
  }
}

/** A batch whose turn it is. */
export interface AskedBatch {
  readonly jobId: string;
  readonly members: readonly NamedMember[];
  readonly actor: Actor;
  readonly settings: SettleSettings;
  /** When all of them have to be back. */
  readonly deadlineAt: Date;
}

/**
 * Has the members start anew: a write of kind `redeploy` for each, in the transaction that notes its
 * generation and the deadline, so that nobody asks twice whoever goes on.
 */
export async function askBatch(tx: Transaction, batch: AskedBatch): Promise<void> {
  const orm = ormOf(tx);
  const inOrder = batch.members.toSorted((a, b) => (a.workspaceId < b.workspaceId ? -1 : 1));
  for (const { workspaceId, position } of inOrder) {
    const { generation } = await recordWrite(tx, {
      workspaceId,
      actor: batch.actor,
      stream: "settings",
      isBatch: true,
      changes: [{ kind: "redeploy", name: "redeploy" }],
      settings: batch.settings,
    });
    await orm
      .update(fleetJobItems)
      .set({ state: "asked", gen: generation, note: null })
      .where(and(eq(fleetJobItems.jobId, batch.jobId), eq(fleetJobItems.position, position)));
  }
  await orm
    .update(fleetJobs)
    .set({ deadlineAt: batch.deadlineAt })
    .where(eq(fleetJobs.id, batch.jobId));
}

/** True for the refusal of a write because its workspace has been removed meanwhile. */
export function isGone(error: unknown): boolean {
  return isDomainError(error) && (error.code === "removed" || error.code === "not_found");
}

/** Ends the running redeployment; what was asked for goes on by itself. Null when none runs. */
export async function stopRedeployment(q: Queryable, actor: Actor): Promise<FleetJob | null> {
  const [row] = await ormOf(q)
    .update(fleetJobs)
    .set({ status: "stopped", progress: `stopped by ${actor.name}`, ...OVER })
    .where(and(eq(fleetJobs.kind, "redeploy"), eq(fleetJobs.status, "running")))
    .returning();
  return row ?? null;
}

/**
 * Goes on with the latest redeployment, if it was stopped or has failed: on behalf of `actor`, with those
 * that were on their way or lost first. Null when there is nothing to go on with.
 */
export async function resumeRedeployment(tx: Transaction, actor: Actor): Promise<FleetJob | null> {
  const orm = ormOf(tx);
  const [latest] = await orm
    .select()
    .from(fleetJobs)
    .where(eq(fleetJobs.kind, "redeploy"))
    .orderBy(desc(fleetJobs.createdAt))
    .limit(1)
    .for("update");
  if (latest === undefined || (latest.status !== "stopped" && latest.status !== "failed")) {
    return null;
  }
  await orm
    .update(fleetJobItems)
    .set({ state: "waiting", note: null })
    .where(
      and(eq(fleetJobItems.jobId, latest.id), inArray(fleetJobItems.state, ["asked", "lost"])),
    );
  const [row] = await orm
    .update(fleetJobs)
    .set({
      status: "running",
      progress: "",
      failure: null,
      actorKind: actor.kind,
      actorId: actor.id ?? null,
      actorName: actor.name,
      endedAt: null,
      nextActionAt: sql`cp_now()`,
    })
    .where(eq(fleetJobs.id, latest.id))
    .returning();
  return row ?? null;
}
