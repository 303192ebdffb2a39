import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { mergeChanges } from "@molecule/domain/explain";
import { MACHINE_BACKENDS } from "@molecule/domain/machine-reach";
import type { ChangeKind } from "@molecule/domain/sets";
import { type SettleSettings, settleDueAt } from "@molecule/domain/settle";
import { and, asc, eq, inArray, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { layouts } from "../schema/content.ts";
import { workspaceStatuses } from "../schema/statuses.ts";
import { attempts, liveness, workspaces } from "../schema/workspaces.ts";
import { attemptColumns, isoOrNull, viewAttempt, viewFailure } from "./view-attempt.ts";

/** Which nodes, and by which settle times their due instants are told. */
export interface NodeQuery {
  /** Absent: all that are not removed. */
  readonly ids?: readonly string[];
  readonly settle: SettleSettings;
}

/** Unapplied writes read per node at most; the card groups them anyway. */
const MAX_PENDING = 500;

/**
 * Everything the canvas shows of workspaces that are not removed, oldest first, in one statement.
 * `revision` is the xmax of the statement's snapshot: it grows with every committed transaction, so
 * what was read later is never smaller, whichever process read it.
 */
export async function loadNodes(q: Queryable, query: NodeQuery): Promise<WorkspaceNode[]> {
  if (query.ids?.length === 0) return [];
  const rows = await selectNodes(q, query.ids);
  return rows.map((row) => toNode(row, query.settle));
}

type Row = Awaited<ReturnType<typeof selectNodes>>[number];
interface PendingChange {
  readonly kind: ChangeKind;
  readonly name: string;
  readonly actor: string;
  readonly at: string;
}

function selectNodes(q: Queryable, ids: readonly string[] | undefined) {
  return ormOf(q)
    .select({
      workspace: workspaceColumns,
      status: workspaceStatuses.status,
      attempt: attemptColumns,
      attemptSnapGen: attempts.snapGen,
      beat: {
        lastHeartbeatAt: liveness.lastHeartbeatAt,
        errorRate: liveness.errorRate,
        sampleError: liveness.sampleError,
        activeTasks: liveness.activeTasks,
        currentTask: liveness.currentTask,
        currentTaskAt: liveness.currentTaskAt,
        registeredAt: liveness.registeredAt,
        firstBeatAt: liveness.firstBeatAt,
        firstMessageAt: liveness.firstMessageAt,
      },
      tokenAt,
      layout: { x: layouts.x, y: layouts.y, collapsed: layouts.collapsed },
      effectiveModel,
      pendingChanges,
      waitingForRemoval,
      machine,
      lastActivity,
      now: sql<string>`cp_now()`,
      revision: sql`pg_snapshot_xmax(pg_current_snapshot())::text::bigint`.mapWith(Number),
    })
    .from(workspaces)
    .innerJoin(workspaceStatuses, eq(workspaceStatuses.workspaceId, workspaces.id))
    .leftJoin(layouts, eq(layouts.workspaceId, workspaces.id))
    .leftJoin(liveness, eq(liveness.workspaceId, workspaces.id))
    .leftJoin(
      attempts,
      and(eq(attempts.workspaceId, workspaces.id), eq(attempts.no, workspaces.currentAttempt)),
    )
    .where(
      and(
        ne(workspaces.intent, "deleted"),
        ids === undefined ? undefined : inArray(workspaces.id, [...ids]),
      ),
    )
    .orderBy(asc(workspaces.createdAt), asc(workspaces.id));
}

const workspaceColumns = {
  id: workspaces.id,
  name: workspaces.name,
  role: workspaces.role,
  tier: workspaces.tier,
  parentId: workspaces.parentId,
  runtime: workspaces.runtime,
  backend: workspaces.backend,
  template: workspaces.template,
  phase: workspaces.phase,
  intent: workspaces.intent,
  applyPolicy: workspaces.applyPolicy,
  pendingPolicy: workspaces.pendingPolicy,
  desiredModel: sql<string | null>`${workspaces.config}->>'model'`,
  configVersion: workspaces.configVersion,
  desiredGen: workspaces.desiredGen,
  appliedGen: workspaces.appliedGen,
  firstDirtyAt: workspaces.firstDirtyAt,
  lastDirtyAt: workspaces.lastDirtyAt,
  dirtyStream: workspaces.dirtyStream,
  dirtyIsBatch: workspaces.dirtyIsBatch,
  streamRestarts: workspaces.streamRestarts,
  nextActionAt: workspaces.nextActionAt,
  deadlineAt: workspaces.deadlineAt,
  failure: workspaces.failure,
  intentActorName: workspaces.intentActorName,
  intentAt: workspaces.intentAt,
  agentCard: workspaces.agentCard,
  maxConcurrentTasks: workspaces.maxConcurrentTasks,
  readyAt: workspaces.readyAt,
};

/** The model that the latest agent which came up was started with; a start that failed changes nothing. */
const effectiveModel = sql<string | null>`(
  SELECT s.snap_config->>'model' FROM attempts s
  WHERE s.workspace_id = ${workspaces.id} AND s.outcome = 'ready' AND s.snap_config IS NOT NULL
  ORDER BY s.no DESC LIMIT 1)`;

/** Writes that neither run nor are in the open attempt's snapshot. */
const pendingChanges = sql<PendingChange[] | null>`CASE
  WHEN ${workspaces.desiredGen} > ${workspaces.appliedGen} THEN (
    SELECT json_agg(json_build_object(
      'kind', c.kind, 'name', c.name, 'actor', c.actor_name,
      'at', to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY c.id)
    FROM (
      SELECT * FROM changes p
      WHERE p.workspace_id = ${workspaces.id} AND p.gen > ${workspaces.appliedGen}
        AND NOT (${attempts.outcome} IS NULL AND ${attempts.snapGen} IS NOT NULL AND p.gen <= ${attempts.snapGen})
      ORDER BY p.id DESC LIMIT ${sql.raw(String(MAX_PENDING))}) c)
  END`;

/** Instances of earlier attempts that nobody has confirmed gone; a stop under way is not counted, but for what it has fenced. */
const waitingForRemoval = sql<number>`(
  SELECT count(*)::int FROM machines m
  WHERE m.workspace_id = ${workspaces.id} AND m.removed_at IS NULL
    AND CASE WHEN ${workspaces.phase} = 'PAUSED' THEN true
      ELSE (${workspaces.phase} <> 'STOPPING' OR m.fenced_at IS NOT NULL)
        AND m.current_attempt < ${workspaces.currentAttempt} END)`;

/** The machine elsewhere of the current attempt. */
const machine = sql<WorkspaceNode["machine"]>`CASE
  WHEN ${inArray(workspaces.backend, [...MACHINE_BACKENDS])} THEN (
    SELECT json_build_object('reach', e.reach, 'hasHostKey', e.host_key IS NOT NULL,
      'since', to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    FROM machines e
    WHERE e.workspace_id = ${workspaces.id} AND e.current_attempt = ${workspaces.currentAttempt}
      AND e.removed_at IS NULL ORDER BY e.created_at DESC LIMIT 1) END`;

/** When the newest token of an external workspace that is still valid was issued. */
const tokenAt = sql<string | null>`CASE WHEN ${workspaces.backend} = 'external' THEN (
  SELECT max(t.created_at) FROM workspace_tokens t
  WHERE t.workspace_id = ${workspaces.id} AND t.revoked_at IS NULL) END`;

const lastActivity = sql<{ summary: string; at: string } | null>`(
  SELECT json_build_object('summary', left(v.summary, 200),
    'at', to_char(v.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  FROM activity v WHERE v.workspace_id = ${workspaces.id} AND v.summary IS NOT NULL
  ORDER BY v.seq DESC NULLS LAST LIMIT 1)`;

function toNode(row: Row, settle: SettleSettings): WorkspaceNode {
  const { workspace, attempt, beat, layout } = row;
  const isResting = workspace.intent === "paused" || workspace.intent === "hibernated";
  return {
    id: workspace.id,
    name: workspace.name,
    role: workspace.role,
    tier: workspace.tier,
    parentId: workspace.parentId,
    runtime: workspace.runtime,
    backend: workspace.backend,
    template: workspace.template,
    status: row.status,
    phase: workspace.phase,
    applyPolicy: workspace.applyPolicy,
    effectiveModel: row.effectiveModel,
    desiredModel: workspace.desiredModel,
    configVersion: workspace.configVersion,
    desiredGen: workspace.desiredGen,
    appliedGen: workspace.appliedGen,
    attempt: attempt === null ? null : viewAttempt(attempt),
    pending: pendingOf(row, settle),
    waitsForTurn: waitsForTurn(row),
    retryAt: workspace.phase === "BACKOFF" ? isoOrNull(workspace.nextActionAt) : null,
    deadlineAt: isoOrNull(workspace.deadlineAt),
    failure: viewFailure(workspace.failure),
    pausedBy: isResting ? workspace.intentActorName : null,
    pausedAt: isResting ? isoOrNull(workspace.intentAt) : null,
    waitingForRemoval: row.waitingForRemoval,
    machine: row.machine,
    agentCard: workspace.agentCard,
    activeTasks: beat?.activeTasks ?? 0,
    maxConcurrentTasks: workspace.maxConcurrentTasks,
    currentTask: beat?.currentTask ?? "",
    currentTaskAt: isoOrNull(beat?.currentTaskAt ?? null),
    errorRate: beat?.errorRate ?? 0,
    sampleError: beat?.sampleError ?? "",
    lastHeartbeatAt: isoOrNull(beat?.lastHeartbeatAt ?? null),
    readyAt: isoOrNull(workspace.readyAt),
    connect: connectOf(row),
    lastActivity: row.lastActivity,
    x: layout?.x ?? 0,
    y: layout?.y ?? 0,
    collapsed: layout?.collapsed ?? false,
    revision: row.revision,
  };
}

/** At rest with a timer that is far away: whoever paces the import it is of brings it near. */
function waitsForTurn({ workspace, status, now }: Row): boolean {
  const { phase, nextActionAt } = workspace;
  if (status !== "provisioning" || (phase !== "NEW" && phase !== "PAUSED")) return false;
  return nextActionAt !== null && nextActionAt.getTime() > new Date(now).getTime() + FAR_MS;
}

/** Far away is a timer beyond this; those of starts are seconds. See `TURN_LATEST`. */
const FAR_MS = 60 * 60_000;

function connectOf({ workspace, beat, tokenAt: at }: Row): WorkspaceNode["connect"] {
  if (workspace.backend !== "external") return null;
  return {
    tokenAt: at === null ? null : new Date(at).toISOString(),
    registeredAt: isoOrNull(beat?.registeredAt ?? null),
    firstBeatAt: isoOrNull(beat?.firstBeatAt ?? null),
    firstMessageAt: isoOrNull(beat?.firstMessageAt ?? null),
  };
}

function pendingOf(row: Row, settle: SettleSettings): WorkspaceNode["pending"] {
  const { workspace, attempt, pendingChanges: pending, beat } = row;
  if (pending === null || pending.length === 0) return null;
  const merged = mergeChanges(
    pending.map(({ kind, name, actor, at }) => ({
      kind,
      name,
      actorName: actor,
      at: new Date(at),
    })),
  );
  const isOpen = attempt !== null && attempt.outcome === null;
  const due = settleDueAt(
    { ...workspace, stream: workspace.dirtyStream, isBatch: workspace.dirtyIsBatch },
    settle,
  );
  const policy = workspace.pendingPolicy ?? workspace.applyPolicy;
  const isTimed = policy !== "hold" && workspace.intent === "run" && !isOpen;
  const isDue = due !== null && due.getTime() <= new Date(row.now).getTime();
  const isWaitingForTurns =
    isTimed && isDue && workspace.phase === "READY" && (beat?.activeTasks ?? 0) > 0;
  const isLimited = isWaitingForTurns && policy === "settle" && due !== null;
  return {
    merged,
    policy,
    dueAt: isTimed ? isoOrNull(due) : null,
    isWaitingForTurns,
    waitsUntil: isLimited ? new Date(due.getTime() + settle.turnWaitMs).toISOString() : null,
  };
}
