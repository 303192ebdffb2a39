import type { WireRow } from "@molecule/db/workspaces/wire-rows";
import { loadTemplates } from "@molecule/templates/load-templates";
import type { Deps } from "../../deps.ts";

/** Milliseconds a runtime may take to start, by runtime, where a template says so. */
export type BootTimeouts = ReadonlyMap<string, number>;

/** The longest of the templates of each runtime. Source: wire contract §3.2. */
export async function bootTimeouts(deps: Deps): Promise<BootTimeouts> {
  const timeouts = new Map<string, number>();
  for (const entry of await loadTemplates(deps.templatesDir)) {
    if (entry.kind !== "template") continue;
    const { runtime, provisionTimeoutSeconds } = entry.template;
    if (provisionTimeoutSeconds === undefined) continue;
    timeouts.set(runtime, Math.max(timeouts.get(runtime) ?? 0, provisionTimeoutSeconds * 1000));
  }
  return timeouts;
}

/** A workspace as its list and its owners see it. Source: wire contract §3.2. */
export function viewInList(row: WireRow, timeouts: BootTimeouts) {
  return {
    ...common(row, timeouts),
    last_sample_error: row.sampleError,
    current_task: row.currentTask,
    workspace_dir: row.workspaceDir,
    monthly_spend: row.monthlySpend,
    budget_limit: row.budgetLimit,
  };
}

/** One workspace for somebody with a credential. */
export function viewOne(row: WireRow, timeouts: BootTimeouts) {
  return {
    ...viewInList(row, timeouts),
    last_outbound_at: row.lastOutboundAt?.toISOString() ?? null,
  };
}

/** One workspace for anybody who knows its id. */
export function viewForStranger(row: WireRow) {
  return { id: row.id, name: row.name, status: row.status };
}

function common(row: WireRow, timeouts: BootTimeouts) {
  const timeout = timeouts.get(row.runtime);
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    tier: row.tier,
    status: row.status,
    agent_card: row.agentCard,
    url: row.url,
    parent_id: row.parentId,
    active_tasks: row.activeTasks,
    max_concurrent_tasks: row.maxConcurrentTasks,
    uptime_seconds: row.uptimeSeconds,
    last_error_rate: row.errorRate,
    runtime: row.runtime,
    x: row.x,
    y: row.y,
    collapsed: row.collapsed,
    ...(timeout === undefined ? {} : { provision_timeout_ms: timeout }),
  };
}
