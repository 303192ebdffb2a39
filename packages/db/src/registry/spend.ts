import { and, eq, ne } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Largest amount the column holds, in cents. */
const MAX_CENTS = 2_147_483_647;

/** Stores what an agent spent this month, in cents. Absent, zero and less change nothing. */
export async function recordSpend(
  tx: Transaction,
  workspaceId: string,
  cents: number | undefined,
): Promise<void> {
  if (cents === undefined || !Number.isFinite(cents) || cents <= 0) return;
  const monthlySpend = Math.min(Math.round(cents), MAX_CENTS);
  await ormOf(tx)
    .update(workspaces)
    .set({ monthlySpend })
    .where(and(eq(workspaces.id, workspaceId), ne(workspaces.monthlySpend, monthlySpend)));
}
