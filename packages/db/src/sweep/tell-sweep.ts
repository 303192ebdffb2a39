import { type Backend, PLATFORM_ACTOR, type SweepAction } from "@molecule/domain/sets";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { countSweepAction } from "../ledger/tallies.ts";
import { recordLifecycle } from "../lifecycle/record-lifecycle.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Something that a sweep did or asked. */
export interface SweepAct {
  readonly action: SweepAction;
  /** Number of the rule in SPEC.md. */
  readonly rule: string;
  /** Null for what no backend was asked for. */
  readonly backend: Backend | null;
  /** Null for what is about no single workspace; one that is not in the database is named all the same. */
  readonly workspaceId: string | null;
  /** What was seen that led to it; never a secret. */
  readonly evidence: Readonly<Record<string, string | number | boolean | null>>;
  /** For a person. */
  readonly sentence: string;
}

/**
 * Tells what a sweep does, in the transaction that does it: an event, a count, and a row in the
 * history of the workspace where there is one. SPEC: G13.
 */
export async function tellSweep(tx: Transaction, act: SweepAct): Promise<void> {
  const { action, rule, evidence } = act;
  const subjectId = await knownWorkspace(tx, act.workspaceId);
  await countSweepAction(tx, action);
  await appendEvent(tx, {
    event: "SWEEP_ACTED",
    subjectId,
    payload: {
      action,
      rule,
      backend: act.backend,
      workspace_id: act.workspaceId,
      summary: act.sentence,
      evidence,
    },
  });
  if (subjectId === null) return;
  await recordLifecycle(tx, {
    workspaceId: subjectId,
    actor: PLATFORM_ACTOR,
    sentence: `${act.sentence} (rule ${rule})`,
    answer: { action, rule, evidence },
  });
}

/**
 * Whether another sweeper told the removal of this instance in the last ten minutes; whoever asks
 * meanwhile waits for the end of this transaction. For instances without a row that would tell.
 */
export async function isRemovalTold(tx: Transaction, providerId: string): Promise<boolean> {
  const orm = ormOf(tx);
  await orm.execute(
    sql`SELECT pg_advisory_xact_lock(hashtextextended(${`removal:${providerId}`}, 0))`,
  );
  const rows = await orm.execute(sql`
    SELECT 1 FROM events WHERE event = 'SWEEP_ACTED' AND at > cp_now() - interval '10 minutes'
      AND payload->>'action' = 'instance_removed'
      AND payload #>> '{evidence,provider_id}' = ${providerId} LIMIT 1`);
  return rows.length > 0;
}

async function knownWorkspace(tx: Transaction, id: string | null): Promise<string | null> {
  if (id === null) return null;
  const [row] = await ormOf(tx)
    .select({ id: workspaces.id })
    .from(workspaces)
    .where(eq(workspaces.id, id));
  return row?.id ?? null;
}
