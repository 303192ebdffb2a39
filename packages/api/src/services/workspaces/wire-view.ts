import type { WireRow } from "@molecule/db/workspaces/wire-rows";
import { statedTimeoutMs } from "@molecule/domain/start-timeout";
import type { Platform } from "../../deps.ts";

/** The operator's word on starts; what is shown is what the worker holds a start to. SPEC: P3. */
type StartLimit = Pick<Platform, "startTimeoutMs">;

/** A workspace as its list and its owners see it. Source: wire contract §3.2. */
export function viewInList(row: WireRow, limit: StartLimit) {
  return {
    ...common(row, limit),
    last_sample_error: row.sampleError,
    current_task: row.currentTask,
    workspace_dir: row.workspaceDir,
    monthly_spend: row.monthlySpend,
    budget_limit: row.budgetLimit,
    hibernation_idle_minutes: row.hibernationIdleMinutes,
  };
}

/** One workspace for somebody with a credential. */
export function viewOne(row: WireRow, limit: StartLimit) {
  return {
    ...viewInList(row, limit),
    last_outbound_at: row.lastOutboundAt?.toISOString() ?? null,
  };
}

/** One workspace for anybody who knows its id. */
export function viewForStranger(row: WireRow) {
  return { id: row.id, status: row.status };
}

function common(row: WireRow, limit: StartLimit) {
  const timeout = statedTimeoutMs({ ...row, overrideMs: limit.startTimeoutMs });
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
    ...(timeout === null ? {} : { provision_timeout_ms: timeout }),
  };
}
