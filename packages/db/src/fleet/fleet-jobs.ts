import type { RefreshResult } from "@molecule/contracts/fleet";
import type { PublicFailure } from "@molecule/domain/errors";
import type { Actor, FleetJobKind, FleetJobStatus, Runtime } from "@molecule/domain/sets";
import { and, desc, eq, sql } from "drizzle-orm";
import type { Claim } from "../claim.ts";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { clock } from "../lifecycle/lock-workspace.ts";
import { fleetJobs } from "../schema/fleet.ts";

/** One job as stored. */
export type FleetJob = typeof fleetJobs.$inferSelect;

/** What somebody asks of the fleet. */
export interface NewFleetJob {
  readonly kind: FleetJobKind;
  /** Null: every runtime. */
  readonly runtime: Runtime | null;
  readonly actor: Actor;
  readonly recreate?: boolean;
  readonly batch?: number;
  readonly batchTimeoutMs?: number | null;
}

/** Writes a job down, due at once; null while one of its kind runs. */
export async function addFleetJob(tx: Transaction, job: NewFleetJob): Promise<FleetJob | null> {
  const [row] = await ormOf(tx)
    .insert(fleetJobs)
    .values({
      kind: job.kind,
      runtime: job.runtime,
      recreate: job.recreate ?? true,
      batch: job.batch ?? 1,
      batchTimeoutMs: job.batchTimeoutMs ?? null,
      actorKind: job.actor.kind,
      actorId: job.actor.id ?? null,
      actorName: job.actor.name,
      nextActionAt: sql`cp_now()`,
    })
    .onConflictDoNothing()
    .returning();
  return row ?? null;
}

export async function findFleetJob(q: Queryable, id: string): Promise<FleetJob | null> {
  const [row] = await ormOf(q).select().from(fleetJobs).where(eq(fleetJobs.id, id));
  return row ?? null;
}

/** The job of this kind that runs, or else the one that ran last; null before the first. */
export async function latestFleetJob(q: Queryable, kind: FleetJobKind): Promise<FleetJob | null> {
  const [row] = await ormOf(q)
    .select()
    .from(fleetJobs)
    .where(eq(fleetJobs.kind, kind))
    .orderBy(desc(sql`${fleetJobs.status} = 'running'`), desc(fleetJobs.createdAt))
    .limit(1);
  return row ?? null;
}

/** The actor on whose behalf a job runs. */
export function actorOfJob(job: FleetJob): Actor {
  return { kind: job.actorKind, id: job.actorId ?? undefined, name: job.actorName };
}

/** Locks a running job under its claim; null when the claim or the job is over: write nothing more. */
export async function holdFleetJob(
  tx: Transaction,
  claim: Claim,
): Promise<{ readonly job: FleetJob; readonly now: Date } | null> {
  const orm = ormOf(tx);
  const [job] = await orm.select().from(fleetJobs).where(ours(claim)).for("no key update");
  if (job === undefined) return null;
  const [time] = await orm.select({ now: clock }).from(fleetJobs).where(eq(fleetJobs.id, job.id));
  if (time === undefined) throw new Error("invariant: a locked row does not vanish");
  return { job, now: time.now };
}

/** Writes down how far a job is; false when it is no longer ours. */
export async function tellFleetJob(
  q: Queryable,
  claim: Claim,
  told: { readonly progress?: string; readonly result?: RefreshResult },
): Promise<boolean> {
  const rows = await ormOf(q)
    .update(fleetJobs)
    .set(told)
    .where(ours(claim))
    .returning({ id: fleetJobs.id });
  return rows.length > 0;
}

/** Gives a job back; it is looked at again after `waitMs`. */
export async function deferFleetJob(q: Queryable, claim: Claim, waitMs: number): Promise<void> {
  await ormOf(q)
    .update(fleetJobs)
    .set({
      leaseOwner: null,
      leaseUntil: null,
      nextActionAt: sql`cp_now() + ${waitMs} * interval '1 millisecond'`,
    })
    .where(ours(claim));
}

/** Ends a job; nothing happens when it is no longer ours. */
export async function endFleetJob(
  q: Queryable,
  claim: Claim,
  end: {
    readonly status: Exclude<FleetJobStatus, "running">;
    readonly progress: string;
    readonly result?: RefreshResult;
    readonly failure?: PublicFailure;
  },
): Promise<void> {
  await ormOf(q)
    .update(fleetJobs)
    .set({ ...end, ...OVER })
    .where(ours(claim));
}

/** What every ended job has, whoever ends it. */
export const OVER = {
  endedAt: sql`cp_now()`,
  deadlineAt: null,
  nextActionAt: null,
  leaseOwner: null,
  leaseUntil: null,
};

function ours(claim: Claim) {
  return and(
    eq(fleetJobs.id, claim.id),
    eq(fleetJobs.leaseEpoch, claim.epoch),
    eq(fleetJobs.leaseOwner, claim.owner),
    eq(fleetJobs.status, "running"),
  );
}
