import type { HeartbeatBody } from "@molecule/contracts/wire";
import { markFirstHeartbeat } from "@molecule/db/lifecycle/mark-registered";
import { wakeQueue } from "@molecule/db/queue/a2a-queue";
import { recordBeat } from "@molecule/db/registry/liveness";
import { recordOrdinaryBeat } from "@molecule/db/registry/ordinary-beat";
import { recordSpend } from "@molecule/db/registry/spend";
import { ensureInboundSecret } from "@molecule/db/secrets/inbound-secret";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import type { Deps } from "../../deps.ts";
import type { AgentIdentity } from "./register-agent.ts";

/** What a beating agent learns. Source: contract §5.4. */
export interface HeartbeatAnswer {
  readonly status: "ok";
  readonly platform_inbound_secret: string;
}

/**
 * Records a beat; the first one of an attempt makes it READY. Appends nothing to the log unless
 * something changed; streams of this process hear every beat.
 * @throws DomainError `superseded` when a newer attempt has beaten already.
 */
export async function recordHeartbeat(
  deps: Deps,
  identity: AgentIdentity,
  body: HeartbeatBody,
): Promise<HeartbeatAnswer> {
  const { workspaceId, attemptNo } = identity;
  const done = await deps.db.transaction(async (tx) => {
    const beat = await recordBeat(tx, { workspaceId, attemptNo, ...reportOf(body) });
    if (!beat.isCurrent) throw superseded();
    const { becameReady } =
      attemptNo === null
        ? { becameReady: false }
        : await markFirstHeartbeat(tx, { workspaceId, attemptNo });
    await recordSpend(tx, workspaceId, body.monthly_spend);
    const hasWaiting = await wakeQueue(tx, workspaceId);
    const { secret } = await ensureInboundSecret(tx, deps.cipher, workspaceId);
    return { beat, mayDeliver: hasWaiting || becameReady, secret };
  });
  // Also what the agent is told of its restart, which waits since this very beat.
  if (done.mayDeliver) deps.dispatcher.poke();
  emitBeat(deps, workspaceId, done.beat);
  return { status: "ok", platform_inbound_secret: done.secret };
}

/**
 * The same for a beat that only says "still here", in one round trip with the proof of its token; null
 * when the beat is anything more than that, or anything less than right. Nothing was changed then.
 */
export async function recordOrdinaryHeartbeat(
  deps: Deps,
  tokenSha256: Uint8Array,
  body: HeartbeatBody,
): Promise<HeartbeatAnswer | null> {
  const workspaceId = parseWorkspaceId(body.workspace_id);
  if (workspaceId === null) return null;
  const beat = await recordOrdinaryBeat(deps.db, deps.cipher, {
    tokenSha256,
    workspaceId,
    monthlySpend: body.monthly_spend,
    ...reportOf(body),
  });
  if (beat === null) return null;
  emitBeat(deps, workspaceId, beat);
  return { status: "ok", platform_inbound_secret: beat.inboundSecret };
}

function reportOf(body: HeartbeatBody) {
  return {
    errorRate: body.error_rate,
    sampleError: body.sample_error,
    activeTasks: body.active_tasks,
    uptimeSeconds: body.uptime_seconds,
    currentTask: body.current_task,
    runtimeState: body.runtime_state,
    capabilities: body.runtime_metadata?.capabilities,
    idleTimeoutSeconds: body.runtime_metadata?.idle_timeout_seconds,
  };
}

function emitBeat(
  deps: Deps,
  workspaceId: string,
  beat: { readonly activeTasks: number; readonly uptimeSeconds: number },
): void {
  deps.live.emit({
    event: "WORKSPACE_HEARTBEAT",
    workspace_id: workspaceId,
    timestamp: deps.now().toISOString(),
    payload: { active_tasks: beat.activeTasks, uptime_seconds: beat.uptimeSeconds },
  });
}

function superseded(): DomainError {
  return new DomainError("superseded", "A newer start of this workspace has taken over.", {
    next: "Stop this instance; the newer one is running.",
    details: { superseded: true },
  });
}
