import { DomainError } from "@molecule/domain/errors";
import type { ActivityType } from "@molecule/domain/sets";
import {
  and,
  asc,
  desc,
  eq,
  gt,
  inArray,
  isNotNull,
  isNull,
  lt,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { type Database, ormOf, type Queryable } from "../database.ts";
import { activity } from "../schema/content.ts";
import { workspaces } from "../schema/workspaces.ts";
import type { ActivityRow } from "./activity-log.ts";
import { awaitActivityOrder } from "./activity-order.ts";

/** Filters of the wire's list. Source: contract §8.3; all combine with AND. */
export interface ActivityFilter {
  readonly workspaceId: string;
  readonly type?: ActivityType | undefined;
  readonly source?: "canvas" | "agent" | undefined;
  readonly sinceSeconds?: number | undefined;
  readonly beforeAt?: Date | undefined;
  /** Rows from and to this workspace, what was sent to it included. */
  readonly peerId?: string | undefined;
  /** Rows after this one, oldest first; without it newest first. */
  readonly sinceId?: string | undefined;
  readonly limit: number;
}

/**
 * Rows of one workspace. The cursor is a position in the order of insertion, so that rows with equal
 * times are neither skipped nor repeated; whoever will go on from what it sees here waits for the
 * messages that are on their way, so that none appears behind it.
 * @throws DomainError `removed` when `sinceId` is no row of this workspace (the wire's 410).
 */
export async function listActivity(db: Database, filter: ActivityFilter): Promise<ActivityRow[]> {
  if (filter.sinceId === undefined && filter.sinceSeconds === undefined) {
    return await listRows(db, filter);
  }
  return await db.transaction(async (tx) => {
    await awaitActivityOrder(tx, filter.workspaceId);
    return await listRows(tx, filter);
  });
}

async function listRows(q: Queryable, filter: ActivityFilter): Promise<ActivityRow[]> {
  const orm = ormOf(q);
  const { workspaceId, peerId } = filter;
  const own = eq(activity.workspaceId, workspaceId);
  const conditions: (SQL | undefined)[] = [
    peerId === undefined
      ? own
      : or(
          and(own, or(eq(activity.sourceId, peerId), eq(activity.targetId, peerId))),
          and(eq(activity.workspaceId, peerId), eq(activity.sourceId, workspaceId), isReceived),
        ),
  ];
  if (filter.type !== undefined) conditions.push(eq(activity.activityType, filter.type));
  if (filter.source === "canvas") conditions.push(isNull(activity.sourceId));
  if (filter.source === "agent") conditions.push(isNotNull(activity.sourceId));
  if (filter.sinceSeconds !== undefined) {
    conditions.push(
      sql`${activity.createdAt} > cp_now() - make_interval(secs => ${filter.sinceSeconds})`,
    );
  }
  if (filter.beforeAt !== undefined) conditions.push(lt(activity.createdAt, filter.beforeAt));
  if (filter.sinceId !== undefined) {
    conditions.push(gt(activity.seq, await cursorSeq(q, filter.workspaceId, filter.sinceId)));
  }
  return await orm
    .select()
    .from(activity)
    .where(and(...conditions))
    .orderBy(filter.sinceId === undefined ? desc(activity.seq) : asc(activity.seq))
    .limit(filter.limit);
}

const isReceived = eq(activity.activityType, "a2a_receive");

async function cursorSeq(q: Queryable, workspaceId: string, id: string): Promise<number> {
  const [row] = await ormOf(q)
    .select({ seq: activity.seq })
    .from(activity)
    .where(and(eq(activity.workspaceId, workspaceId), eq(activity.id, id)));
  if (row !== undefined) return row.seq;
  throw new DomainError("removed", "This position is no longer in the activity of the workspace.", {
    next: "Read again without since_id.",
  });
}

/** Which rows the canvas wants. */
export interface ActivityPage {
  /** One workspace: its own rows and what it sent to others. Absent: all workspaces. */
  readonly workspaceId?: string | undefined;
  readonly before?: number | undefined;
  readonly types?: readonly ActivityType[] | undefined;
  /** Only rows of type `error` and rows that ended with an error. */
  readonly onlyFailed?: boolean | undefined;
  readonly limit: number;
}

/** A row with the names behind its ids; null where there is no such workspace. */
export interface NamedActivity {
  readonly row: ActivityRow;
  readonly sourceName: string | null;
  readonly targetName: string | null;
}

/** Newest first. */
export async function listNamedActivity(
  q: Queryable,
  page: ActivityPage,
): Promise<NamedActivity[]> {
  const source = alias(workspaces, "source");
  const target = alias(workspaces, "target");
  // For runtimes; a person reads the result on the message and on the delegation's own row.
  const conditions: (SQL | undefined)[] = [
    sql`${activity.method} IS DISTINCT FROM 'delegate_result'`,
  ];
  if (page.workspaceId !== undefined) {
    conditions.push(
      or(
        eq(activity.workspaceId, page.workspaceId),
        and(eq(activity.sourceId, page.workspaceId), isReceived),
      ),
    );
  }
  if (page.before !== undefined) conditions.push(lt(activity.seq, page.before));
  if (page.types !== undefined && page.types.length > 0) {
    conditions.push(inArray(activity.activityType, [...page.types]));
  }
  if (page.onlyFailed === true) {
    conditions.push(or(eq(activity.status, "error"), eq(activity.activityType, "error")));
  }
  return await ormOf(q)
    .select({ row: activity, sourceName: source.name, targetName: target.name })
    .from(activity)
    .leftJoin(source, eq(source.id, activity.sourceId))
    .leftJoin(target, eq(target.id, sql`COALESCE(${activity.targetId}, ${activity.workspaceId})`))
    .where(and(...conditions))
    .orderBy(desc(activity.seq))
    .limit(page.limit);
}

/** Rows of the conversation with people, newest first: what they asked and what the agent notified. */
export async function listChatRows(
  q: Queryable,
  page: {
    readonly workspaceId: string;
    readonly before?: number | undefined;
    readonly limit: number;
  },
): Promise<ActivityRow[]> {
  return await ormOf(q)
    .select()
    .from(activity)
    .where(
      and(
        eq(activity.workspaceId, page.workspaceId),
        eq(activity.activityType, "a2a_receive"),
        isNull(activity.sourceId),
        page.before === undefined ? undefined : lt(activity.seq, page.before),
      ),
    )
    .orderBy(desc(activity.seq))
    .limit(page.limit);
}

/** One row by its id; null when there is none. */
export async function readActivity(q: Queryable, id: string): Promise<ActivityRow | null> {
  const [row] = await ormOf(q).select().from(activity).where(eq(activity.id, id));
  return row ?? null;
}
