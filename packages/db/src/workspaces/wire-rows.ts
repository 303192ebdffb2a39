import type { Intent, WorkspaceStatus } from "@molecule/domain/sets";
import { asc, eq, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { layouts } from "../schema/content.ts";
import { workspaceStatuses } from "../schema/statuses.ts";
import { liveness, workspaces } from "../schema/workspaces.ts";

/** A workspace as the plain HTTP routes show it. Source: wire contract §3.2. */
export interface WireRow {
  readonly id: string;
  readonly name: string;
  readonly role: string | null;
  readonly tier: number;
  readonly status: WorkspaceStatus;
  readonly intent: Intent;
  readonly agentCard: Record<string, unknown> | null;
  readonly url: string;
  readonly parentId: string | null;
  readonly activeTasks: number;
  readonly maxConcurrentTasks: number;
  readonly uptimeSeconds: number;
  readonly errorRate: number;
  readonly sampleError: string;
  readonly currentTask: string;
  readonly runtime: string;
  /** Keys of its configuration that only some runtimes know. */
  readonly extra: Readonly<Record<string, unknown>>;
  readonly workspaceDir: string | null;
  readonly monthlySpend: number;
  readonly budgetLimit: number | null;
  readonly hibernationIdleMinutes: number | null;
  readonly x: number;
  readonly y: number;
  readonly collapsed: boolean;
  readonly lastOutboundAt: Date | null;
  readonly removedAt: Date | null;
}

/** All that are not removed, oldest first. */
export async function listWireRows(q: Queryable): Promise<WireRow[]> {
  const rows = await select(q)
    .where(ne(workspaces.intent, "deleted"))
    .orderBy(asc(workspaces.createdAt), asc(workspaces.id));
  return rows.map(toWireRow);
}

/** One workspace, a removed one included; null when unknown. */
export async function findWireRow(q: Queryable, id: string): Promise<WireRow | null> {
  const [row] = await select(q).where(eq(workspaces.id, id));
  return row === undefined ? null : toWireRow(row);
}

function select(q: Queryable) {
  return ormOf(q)
    .select({
      workspace: {
        id: workspaces.id,
        name: workspaces.name,
        role: workspaces.role,
        tier: workspaces.tier,
        intent: workspaces.intent,
        agentCard: workspaces.agentCard,
        url: workspaces.advertisedUrl,
        parentId: workspaces.parentId,
        maxConcurrentTasks: workspaces.maxConcurrentTasks,
        runtime: workspaces.runtime,
        extra: sql<
          Readonly<Record<string, unknown>>
        >`COALESCE(${workspaces.config}->'extra', '{}'::jsonb)`,
        workspaceDir: workspaces.workspaceDir,
        monthlySpend: workspaces.monthlySpend,
        budgetLimit: workspaces.budgetLimit,
        hibernationIdleMinutes: workspaces.hibernationIdleMinutes,
        lastOutboundAt: workspaces.lastOutboundAt,
        removedAt: workspaces.removedAt,
      },
      status: workspaceStatuses.status,
      beat: {
        activeTasks: liveness.activeTasks,
        uptimeSeconds: liveness.uptimeSeconds,
        errorRate: liveness.errorRate,
        sampleError: liveness.sampleError,
        currentTask: liveness.currentTask,
      },
      layout: { x: layouts.x, y: layouts.y, collapsed: layouts.collapsed },
    })
    .from(workspaces)
    .innerJoin(workspaceStatuses, eq(workspaceStatuses.workspaceId, workspaces.id))
    .leftJoin(liveness, eq(liveness.workspaceId, workspaces.id))
    .leftJoin(layouts, eq(layouts.workspaceId, workspaces.id))
    .$dynamic();
}

const NO_BEAT = {
  activeTasks: 0,
  uptimeSeconds: 0,
  errorRate: 0,
  sampleError: "",
  currentTask: "",
};
const NO_LAYOUT = { x: 0, y: 0, collapsed: false };

function toWireRow(row: Awaited<ReturnType<typeof select>>[number]): WireRow {
  return {
    ...row.workspace,
    status: row.status,
    ...(row.beat ?? NO_BEAT),
    ...(row.layout ?? NO_LAYOUT),
  };
}
