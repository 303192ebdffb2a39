import { and, asc, eq, isNull, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { members } from "../schema/content.ts";

/** The oldest owner, made when there is none. Two calls at once make one. */
export async function ensureOwner(tx: Transaction): Promise<{ readonly id: string }> {
  const orm = ormOf(tx);
  await orm.execute(sql`LOCK TABLE members IN SHARE ROW EXCLUSIVE MODE`);
  const [known] = await orm
    .select({ id: members.id })
    .from(members)
    .where(and(eq(members.role, "owner"), isNull(members.removedAt)))
    .orderBy(asc(members.createdAt))
    .limit(1);
  if (known !== undefined) return known;
  const [made] = await orm
    .insert(members)
    .values({ name: "Owner", role: "owner" })
    .returning({ id: members.id });
  if (made === undefined) throw new Error("invariant: an insert returns its row");
  return made;
}
