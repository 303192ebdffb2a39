import { DomainError } from "@molecule/domain/errors";
import type { Actor, Backend, SweepHoldKind, SweepHoldState } from "@molecule/domain/sets";
import { type HoldEvidence, weighHold } from "@molecule/domain/sweep-hold";
import { and, asc, eq, inArray, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { sweepHolds } from "../schema/sweep.ts";
import { workspaces } from "../schema/workspaces.ts";
import { rememberIdentity } from "./backend-identity.ts";
import { tellSweep } from "./tell-sweep.ts";

/** A question as it is shown. */
export interface SweepHold {
  readonly id: string;
  readonly backend: Backend;
  readonly kind: SweepHoldKind;
  readonly state: SweepHoldState;
  readonly evidence: HoldEvidence;
  /** Since when exactly this is asked. */
  readonly since: Date;
  readonly lastSeenAt: Date;
  readonly decidedBy: string | null;
  /** Names of the workspaces in the evidence that the database knows. */
  readonly names: ReadonlyMap<string, string>;
}

/** How often it is noted that the question still stands. */
const TOUCH_SECONDS = 20;

/**
 * Asks for leave, or says that it was given. The same question is asked once; one about something else
 * takes its place, with an id of its own. SPEC: G8.
 */
export async function askLeave(
  tx: Transaction,
  backend: Backend,
  evidence: HoldEvidence,
): Promise<"allowed" | "held"> {
  const orm = ormOf(tx);
  const ofKind = and(eq(sweepHolds.backend, backend), eq(sweepHolds.kind, evidence.kind));
  // A row lock would not do: two sweepers that find no question would both ask, the later one in the
  // place of the earlier one's.
  await orm.execute(
    sql`SELECT pg_advisory_xact_lock(hashtextextended(${`hold:${backend}:${evidence.kind}`}, 0))`,
  );
  const [asked] = await orm.select().from(sweepHolds).where(ofKind).for("update");
  const verdict = weighHold(asked ?? null, evidence);
  if (verdict === "ask") {
    await orm.delete(sweepHolds).where(ofKind);
    await orm.insert(sweepHolds).values({ backend, kind: evidence.kind, evidence });
    await tellAsked(tx, backend, evidence);
    return "held";
  }
  await orm
    .update(sweepHolds)
    .set({ lastSeenAt: sql`cp_now()` })
    .where(
      and(
        ofKind,
        sql`${sweepHolds.lastSeenAt} < cp_now() - ${TOUCH_SECONDS} * interval '1 second'`,
      ),
    );
  return verdict === "allowed" ? "allowed" : "held";
}

/** There is nothing to ask any more. */
export async function withdrawHold(
  q: Queryable,
  backend: Backend,
  kind: SweepHoldKind,
): Promise<void> {
  await ormOf(q)
    .delete(sweepHolds)
    .where(and(eq(sweepHolds.backend, backend), eq(sweepHolds.kind, kind)));
}

/** Forgets questions that no sweep has come upon for a day: their backend is not used any more. */
export async function pruneHolds(q: Queryable): Promise<void> {
  await ormOf(q)
    .delete(sweepHolds)
    .where(sql`${sweepHolds.lastSeenAt} < cp_now() - interval '1 day'`);
}

async function tellAsked(tx: Transaction, backend: Backend, evidence: HoldEvidence): Promise<void> {
  const told =
    evidence.kind === "removals"
      ? {
          rule: "G5",
          evidence: { unwanted: evidence.removals.length, listed: evidence.listed },
          sentence: `A sweep would remove ${evidence.removals.length} of ${evidence.listed} instances at once and removes none before somebody confirms it.`,
        }
      : {
          rule: "G7",
          evidence: {
            remembered: evidence.remembered,
            found: evidence.found,
            expected: evidence.expected,
          },
          sentence: `Another machine than before answers for the backend "${backend}", without any of the ${evidence.expected} agents that ran there; nothing is concluded from that before somebody confirms it.`,
        };
  await tellSweep(tx, { action: "hold_opened", backend, workspaceId: null, ...told });
}

/** Every question, the oldest first; also those that were answered and still stand. */
export async function listHolds(q: Queryable): Promise<readonly SweepHold[]> {
  const orm = ormOf(q);
  const rows = await orm.select().from(sweepHolds).orderBy(asc(sweepHolds.since));
  const ids = rows.flatMap(({ evidence }) =>
    evidence.kind === "removals" ? evidence.removals.map((one) => one.workspaceId) : [],
  );
  const known =
    ids.length === 0
      ? []
      : await orm
          .select({ id: workspaces.id, name: workspaces.name })
          .from(workspaces)
          .where(inArray(workspaces.id, [...new Set(ids)]));
  const names = new Map(known.map(({ id, name }) => [id, name]));
  return rows.map((row) => ({ ...row, names }));
}

/**
 * Answers a question. Confirmed, what was shown is done and nothing else; a confirmed machine is the
 * remembered one from now on. A dismissed question may still be confirmed later.
 * @throws DomainError `not_found`: it does not stand any more, or is about something else by now.
 */
export async function decideHold(
  tx: Transaction,
  answer: {
    readonly id: string;
    readonly to: Exclude<SweepHoldState, "open">;
    readonly actor: Actor;
  },
): Promise<void> {
  const [hold] = await ormOf(tx)
    .update(sweepHolds)
    .set({ state: answer.to, decidedAt: sql`cp_now()`, decidedBy: answer.actor.name })
    .where(and(eq(sweepHolds.id, answer.id), ne(sweepHolds.state, "confirmed")))
    .returning();
  if (hold === undefined) {
    throw new DomainError("not_found", "This question does not stand any more.", {
      next: "Reload: what would be done may have changed, and is then asked anew.",
    });
  }
  const { backend, evidence } = hold;
  if (evidence.kind === "identity" && answer.to === "confirmed") {
    await rememberIdentity(tx, backend, evidence.found);
    await withdrawHold(tx, backend, "identity");
  }
  await tellSweep(tx, {
    action: "hold_decided",
    rule: "G8",
    backend,
    workspaceId: null,
    evidence: { decision: answer.to, kind: evidence.kind, by: answer.actor.name },
    sentence: sentenceOf(evidence, answer),
  });
}

function sentenceOf(
  evidence: HoldEvidence,
  { to, actor }: { readonly to: string; readonly actor: Actor },
): string {
  if (evidence.kind === "identity") {
    return to === "confirmed"
      ? `${actor.name} confirmed that the agents run on another machine from now on.`
      : `${actor.name} does not accept the other machine.`;
  }
  const count = evidence.removals.length;
  return to === "confirmed"
    ? `${actor.name} confirmed the removal of ${count} instances.`
    : `${actor.name} wants the ${count} instances to be left alone.`;
}
