import type { TunnelCount } from "@molecule/domain/sets";
import { ormOf, type Queryable } from "../database.ts";
import { tallies } from "../schema/ledger.ts";

/** Adds what a pool has counted since it was asked last. Nothing is written when nothing was counted. */
export async function countTunnels(
  q: Queryable,
  counts: Readonly<Partial<Record<TunnelCount, number>>>,
): Promise<void> {
  const rows = Object.entries(counts)
    .filter(([, n]) => n > 0)
    .map(([label, n]) => ({ name: "tunnels" as const, label, outcome: "", n }));
  if (rows.length > 0) await ormOf(q).insert(tallies).values(rows);
}
