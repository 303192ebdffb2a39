import type { SweepAction, TallyName } from "@molecule/domain/sets";
import { asc, sql, sum } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { tallies } from "../schema/ledger.ts";

/** A counter's value. */
export interface Tally {
  readonly name: TallyName;
  /** The source of restart requests, the reason of attempts, the action of a sweep. */
  readonly label: string;
  /** Empty for sweep actions. */
  readonly outcome: string;
  readonly n: number;
}

/**
 * Every counter, since this database began: whichever process counted, and whatever has been removed
 * since. Values never fall.
 */
export async function readTallies(q: Queryable): Promise<readonly Tally[]> {
  return await ormOf(q)
    .select({
      name: tallies.name,
      label: tallies.label,
      outcome: tallies.outcome,
      n: sum(tallies.n).mapWith(Number),
    })
    .from(tallies)
    .groupBy(tallies.name, tallies.label, tallies.outcome)
    .orderBy(asc(tallies.name), asc(tallies.label), asc(tallies.outcome));
}

/** Workspaces whose saved changes wait until somebody applies them. */
export async function countHeld(q: Queryable): Promise<number> {
  const [row] = await ormOf(q).execute<{ n: number }>(sql`
    SELECT count(*)::int AS n FROM workspaces
    WHERE desired_gen > applied_gen AND applied_gen > 0 AND intent <> 'deleted' AND backend <> 'external'
      AND COALESCE(pending_policy, apply_policy) = 'hold'`);
  return row?.n ?? 0;
}

/** Counts what a sweep did or asked; in the transaction that does it where there is one. */
export async function countSweepAction(q: Queryable, action: SweepAction, n = 1): Promise<void> {
  await ormOf(q).insert(tallies).values({ name: "sweep_actions", label: action, outcome: "", n });
}

/** Rows that are left alone: summing them costs less than folding them. */
const FEW = 500;

/**
 * Makes many rows their sum, in one statement: a reader sees the rows or the sum, never both, and two
 * that fold at once fold different rows.
 */
export async function foldTallies(q: Queryable, few = FEW): Promise<void> {
  await ormOf(q).execute(sql`
    WITH gone AS (
      DELETE FROM ${tallies} WHERE (SELECT count(*) FROM ${tallies}) > ${few}
      RETURNING name, label, outcome, n
    )
    INSERT INTO ${tallies} (name, label, outcome, n)
    SELECT name, label, outcome, sum(n) FROM gone GROUP BY name, label, outcome`);
}
