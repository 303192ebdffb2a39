import { type MergedChange, mergeChanges } from "@molecule/domain/explain";
import type { Actor } from "@molecule/domain/sets";
import { and, asc, eq, gt, lte } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { changes } from "../schema/workspaces.ts";

/** Most rows read for one explanation; a longer history is told by its newest part. */
const MAX_ROWS = 2_000;

/** Writes between two generations, grouped, and who made the last of them. */
export interface ChangesBetween {
  readonly merged: MergedChange[];
  readonly lastActor: Actor | null;
}

/** Groups the writes with `after < gen <= upTo`. Empty and null when there are none. */
export async function changesBetween(
  q: Queryable,
  workspaceId: string,
  range: { readonly after: number; readonly upTo: number },
): Promise<ChangesBetween> {
  const rows = await ormOf(q)
    .select()
    .from(changes)
    .where(
      and(
        eq(changes.workspaceId, workspaceId),
        gt(changes.gen, range.after),
        lte(changes.gen, range.upTo),
      ),
    )
    .orderBy(asc(changes.id))
    .limit(MAX_ROWS);
  const last = rows.at(-1);
  return {
    merged: mergeChanges(rows),
    lastActor:
      last === undefined
        ? null
        : { kind: last.actorKind, id: last.actorId ?? undefined, name: last.actorName },
  };
}

/** The names of the secrets that were changed with `after < gen <= upTo`. */
export async function changedSecrets(
  q: Queryable,
  workspaceId: string,
  range: { readonly after: number; readonly upTo: number },
): Promise<ReadonlySet<string>> {
  const rows = await ormOf(q)
    .selectDistinct({ name: changes.name })
    .from(changes)
    .where(
      and(
        eq(changes.workspaceId, workspaceId),
        eq(changes.kind, "secret"),
        gt(changes.gen, range.after),
        lte(changes.gen, range.upTo),
      ),
    );
  return new Set(rows.map(({ name }) => name));
}
