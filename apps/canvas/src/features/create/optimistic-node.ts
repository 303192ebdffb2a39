import type { CreateWorkspaceInput } from "@molecule/contracts/procedures";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { DEFAULT_CONCURRENT_TASKS } from "@molecule/domain/delivery";
import type { Backend, Runtime } from "@molecule/domain/sets";

/** What the card of a workspace shows between the click and the platform's answer. */
export function optimisticNode(
  id: string,
  input: CreateWorkspaceInput,
  chosen: { readonly runtime: Runtime; readonly backend: Backend; readonly model: string | null },
): WorkspaceNode {
  return {
    id,
    name: input.name,
    role: input.role ?? null,
    tier: input.tier ?? 2,
    parentId: input.parentId ?? null,
    runtime: chosen.runtime,
    backend: chosen.backend,
    template: input.template ?? null,
    status: chosen.runtime === "external" ? "awaiting_agent" : "provisioning",
    phase: "NEW",
    applyPolicy: "settle",
    effectiveModel: null,
    desiredModel: chosen.model,
    configVersion: 0,
    desiredGen: 1,
    appliedGen: 0,
    attempt: null,
    pending: null,
    retryAt: null,
    deadlineAt: null,
    failure: null,
    pausedBy: null,
    pausedAt: null,
    waitsForTurn: false,
    waitingForRemoval: 0,
    machine: null,
    agentCard: null,
    activeTasks: 0,
    maxConcurrentTasks: DEFAULT_CONCURRENT_TASKS,
    currentTask: "",
    currentTaskAt: null,
    errorRate: 0,
    sampleError: "",
    lastHeartbeatAt: null,
    readyAt: null,
    connect: null,
    lastActivity: null,
    x: input.x ?? 0,
    y: input.y ?? 0,
    collapsed: false,
    revision: 0,
  };
}
