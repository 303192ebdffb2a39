import type { PlacedCard } from "@molecule/domain/free-place";
import { eq, inArray, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { layouts, viewport } from "../schema/content.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Where a card is put; `collapsed` absent leaves it as it is. */
export interface CardMove {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly collapsed?: boolean | undefined;
}

/** The camera of the canvas. */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** All cards that are not removed. */
export async function listPlaces(q: Queryable): Promise<PlacedCard[]> {
  const rows = await ormOf(q)
    .select({
      id: workspaces.id,
      parentId: workspaces.parentId,
      x: layouts.x,
      y: layouts.y,
      collapsed: layouts.collapsed,
    })
    .from(workspaces)
    .leftJoin(layouts, eq(layouts.workspaceId, workspaces.id))
    .where(ne(workspaces.intent, "deleted"));
  return rows.map(({ id, parentId, x, y, collapsed }) => ({
    id,
    parentId,
    x: x ?? 0,
    y: y ?? 0,
    collapsed: collapsed ?? false,
  }));
}

/** Puts cards where they are wanted, in one statement; unknown and removed ones are left out. */
export async function placeCards(tx: Transaction, moves: readonly CardMove[]): Promise<string[]> {
  const orm = ormOf(tx);
  const known = await orm
    .select({ id: workspaces.id })
    .from(workspaces)
    .where(
      sql`${inArray(
        workspaces.id,
        moves.map((move) => move.id),
      )} AND ${workspaces.intent} <> 'deleted'`,
    );
  const ids = new Set(known.map((row) => row.id));
  const last = new Map(moves.filter((move) => ids.has(move.id)).map((move) => [move.id, move]));
  if (last.size === 0) return [];
  await orm
    .insert(layouts)
    .values(
      [...last.values()].map(({ id, x, y, collapsed }) => ({
        workspaceId: id,
        x,
        y,
        collapsed: collapsed ?? false,
      })),
    )
    .onConflictDoUpdate({
      target: layouts.workspaceId,
      set: {
        x: sql`excluded.x`,
        y: sql`excluded.y`,
        collapsed: sql`CASE WHEN ${layouts.workspaceId} = ANY (${explicit(last)}::uuid[])
          THEN excluded.collapsed ELSE ${layouts.collapsed} END`,
      },
    });
  return [...last.keys()];
}

/** The ids whose `collapsed` was said, as a Postgres array literal. */
function explicit(moves: ReadonlyMap<string, CardMove>): string {
  const ids = [...moves.values()].filter((move) => move.collapsed !== undefined);
  return `{${ids.map((move) => move.id).join(",")}}`;
}

/** Sets whether a team is shown closed. */
export async function setCollapsed(tx: Transaction, id: string, collapsed: boolean): Promise<void> {
  await ormOf(tx)
    .insert(layouts)
    .values({ workspaceId: id, collapsed })
    .onConflictDoUpdate({ target: layouts.workspaceId, set: { collapsed } });
}

/** The camera; the origin at full size before anybody moved it. */
export async function readViewport(q: Queryable): Promise<Viewport> {
  const [row] = await ormOf(q)
    .select({ x: viewport.x, y: viewport.y, zoom: viewport.zoom })
    .from(viewport);
  return row ?? { x: 0, y: 0, zoom: 1 };
}

/** Remembers the camera. */
export async function writeViewport(q: Queryable, view: Viewport): Promise<void> {
  await ormOf(q)
    .insert(viewport)
    .values({ id: 1, ...view })
    .onConflictDoUpdate({ target: viewport.id, set: { ...view } });
}
