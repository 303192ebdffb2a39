import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import type { Runtime, WorkspaceAccess } from "@molecule/domain/sets";
import { and, asc, eq, inArray, isNull, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { layouts, managedFiles } from "../schema/content.ts";
import { schedules } from "../schema/schedules.ts";
import { workspaces } from "../schema/workspaces.ts";

/** One workspace as an export takes it along. */
export interface ExportRow {
  readonly id: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly role: string | null;
  readonly tier: number;
  readonly runtime: Runtime;
  readonly template: string | null;
  readonly config: WorkspaceConfig;
  readonly maxConcurrentTasks: number;
  readonly workspaceDir: string | null;
  readonly workspaceAccess: WorkspaceAccess;
  /** Of an external one. */
  readonly url: string;
  readonly x: number;
  readonly y: number;
}

/** A workspace and everything below it, or all; by name, the older first. Empty: there is none. */
export async function listExportRows(q: Queryable, rootId: string | null): Promise<ExportRow[]> {
  const start = rootId === null ? sql`parent_id IS NULL` : sql`id = ${rootId}::uuid`;
  const found = await ormOf(q).execute<{ id: string }>(sql`
    WITH RECURSIVE down(id, depth) AS (
      SELECT id, 0 FROM workspaces WHERE ${start} AND intent <> 'deleted'
      UNION ALL
      SELECT w.id, down.depth + 1 FROM workspaces w JOIN down ON w.parent_id = down.id
        WHERE w.intent <> 'deleted' AND down.depth < 32
    )
    SELECT id FROM down`);
  if (found.length === 0) return [];
  const ids = found.map(({ id }) => id);
  const rows = await ormOf(q)
    .select({
      id: workspaces.id,
      parentId: workspaces.parentId,
      name: workspaces.name,
      role: workspaces.role,
      tier: workspaces.tier,
      runtime: workspaces.runtime,
      template: workspaces.template,
      config: workspaces.config,
      maxConcurrentTasks: workspaces.maxConcurrentTasks,
      workspaceDir: workspaces.workspaceDir,
      workspaceAccess: workspaces.workspaceAccess,
      url: sql<string>`CASE WHEN ${workspaces.backend} = 'external' THEN ${workspaces.advertisedUrl} ELSE '' END`,
      x: sql<number>`COALESCE(${layouts.x}, 0)`,
      y: sql<number>`COALESCE(${layouts.y}, 0)`,
    })
    .from(workspaces)
    .leftJoin(layouts, eq(layouts.workspaceId, workspaces.id))
    .where(inArray(workspaces.id, ids))
    .orderBy(sql`${workspaces.name} COLLATE "C"`, asc(workspaces.createdAt), asc(workspaces.id));
  return rows;
}

/** How much their files are together, in bytes. */
export async function sumExportFiles(q: Queryable, ids: readonly string[]): Promise<number> {
  const [row] = await ormOf(q)
    .select({ bytes: sql<number>`COALESCE(sum(${managedFiles.size}), 0)::bigint`.mapWith(Number) })
    .from(managedFiles)
    .where(and(inArray(managedFiles.workspaceId, [...ids]), isNull(managedFiles.deletedAt)));
  return row?.bytes ?? 0;
}

/** Their files, by path. */
export async function listExportFiles(q: Queryable, ids: readonly string[]) {
  return await ormOf(q)
    .select({
      workspaceId: managedFiles.workspaceId,
      path: managedFiles.path,
      content: managedFiles.content,
    })
    .from(managedFiles)
    .where(and(inArray(managedFiles.workspaceId, [...ids]), isNull(managedFiles.deletedAt)))
    .orderBy(sql`${managedFiles.path} COLLATE "C"`);
}

/** Their schedules, by name. */
export async function listExportSchedules(q: Queryable, ids: readonly string[]) {
  return await ormOf(q)
    .select({
      workspaceId: schedules.workspaceId,
      name: schedules.name,
      cronExpr: schedules.cronExpr,
      timezone: schedules.timezone,
      prompt: schedules.prompt,
      enabled: schedules.enabled,
    })
    .from(schedules)
    .where(inArray(schedules.workspaceId, [...ids]))
    .orderBy(sql`${schedules.name} COLLATE "C"`, asc(schedules.id));
}
