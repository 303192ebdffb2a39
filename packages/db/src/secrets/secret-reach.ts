import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { requiredKeys } from "@molecule/domain/model-offer";
import { isDecidedByPlatform } from "@molecule/domain/platform-env";
import { sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";

/** A workspace as a secret of the organisation sees it. */
export interface ReachedWorkspace {
  readonly name: string;
  /** It has a secret of that name of its own. */
  readonly isOverridden: boolean;
  /** The name is the platform's there, so that no secret reaches the agent. */
  readonly isHidden: boolean;
  /** It cannot start without a value of that name. */
  readonly isNeeded: boolean;
  /** A change starts it anew once it is due; else it rests, or lacks another key, and waits. */
  readonly isRunning: boolean;
}

/** Every workspace of the platform's own, by name, as the organisation's secret `key` sees it. */
export async function reachOf(q: Queryable, key: string): Promise<ReachedWorkspace[]> {
  const rows = await ormOf(q).execute<{
    name: string;
    config: Omit<WorkspaceConfig, "instructions">;
    is_overridden: boolean;
    is_running: boolean;
  }>(sql`
    SELECT w.name, w.config - 'instructions' AS config,
      EXISTS (SELECT 1 FROM workspace_secrets s
        WHERE s.workspace_id = w.id AND s.key = ${key}) AS is_overridden,
      w.intent = 'run' AND w.apply_policy <> 'hold' AND NOT (w.phase = 'FAILED'
        AND w.failure ? 'missing' AND NOT w.failure->'missing' ? ${key}) AS is_running
    FROM workspaces w WHERE w.intent <> 'deleted' AND w.backend <> 'external'
    ORDER BY lower(w.name), w.id`);
  return rows.map((row) => ({
    name: row.name,
    isOverridden: row.is_overridden,
    isHidden: isDecidedByPlatform(key),
    isNeeded: requiredKeys(row.config).some((need) => need.length === 1 && need[0] === key),
    isRunning: row.is_running,
  }));
}

/** How many workspaces have a secret of their own, by its name; and how many there are at all. */
export async function countOverrides(
  q: Queryable,
): Promise<{ readonly all: number; readonly byKey: ReadonlyMap<string, number> }> {
  const orm = ormOf(q);
  const [all] = await orm.execute<{ count: number }>(sql`
    SELECT count(*)::int AS count FROM workspaces
    WHERE intent <> 'deleted' AND backend <> 'external'`);
  const rows = await orm.execute<{ key: string; count: number }>(sql`
    SELECT s.key, count(*)::int AS count
    FROM global_secrets g JOIN workspace_secrets s ON s.key = g.key
    JOIN workspaces w ON w.id = s.workspace_id
    WHERE w.intent <> 'deleted' AND w.backend <> 'external' GROUP BY s.key`);
  return { all: all?.count ?? 0, byKey: new Map(rows.map((row) => [row.key, row.count])) };
}
