import { healthAfterBeat } from "@molecule/domain/reported-health";
import type { Health } from "@molecule/domain/sets";
import { EXTERNAL_STALE_AFTER_SECONDS } from "@molecule/domain/status-of";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent, type NewEvent } from "../events/append-event.ts";
import { liveness, workspaces } from "../schema/workspaces.ts";
import { storableText } from "../storable.ts";
import { tellConnectStep } from "./connect-steps.ts";

/** What an agent says with a beat. Absent means unchanged. */
export interface Beat {
  readonly workspaceId: string;
  /** The attempt its token speaks for; null for tokens of no attempt. */
  readonly attemptNo: number | null;
  readonly errorRate?: number | undefined;
  readonly sampleError?: string | undefined;
  readonly activeTasks?: number | undefined;
  readonly uptimeSeconds?: number | undefined;
  readonly currentTask?: string | undefined;
  readonly runtimeState?: string | undefined;
  readonly capabilities?: Readonly<Record<string, boolean>> | undefined;
  /** Zero or less: the default. */
  readonly idleTimeoutSeconds?: number | undefined;
  /** It came with a registration: a sign of life, and no heartbeat of its own. Absent: no. */
  readonly isRegistration?: boolean;
}

/** What is known after the beat. */
export interface BeatReceipt {
  /** False for the beat of an attempt older than the one that beat last: nothing was changed. */
  readonly isCurrent: boolean;
  readonly activeTasks: number;
  readonly uptimeSeconds: number;
}

/** An external workspace with this health has been told to be silent. */
const SILENT: Health = "suspected_down";

type LivenessRow = typeof liveness.$inferSelect;

/**
 * Records a beat in its own table: writers of the workspace never wait for it. The workspace row is
 * written only when its health changes. Tells TASK_UPDATED when the task or the number of tasks
 * changed, and the change of status a beat causes; an ordinary beat appends nothing to the log.
 */
export async function recordBeat(tx: Transaction, beat: Beat): Promise<BeatReceipt> {
  const orm = ormOf(tx);
  const [before] = await orm
    .select()
    .from(liveness)
    .where(eq(liveness.workspaceId, beat.workspaceId))
    .for("update");
  if (isOfOlderAttempt(beat, before)) {
    return { isCurrent: false, activeTasks: before?.activeTasks ?? 0, uptimeSeconds: 0 };
  }
  const known = isSameRun(beat, before) ? before : undefined;
  const after = merged(beat, known);
  const stored = {
    ...after,
    lastHeartbeatAt: sql`cp_now()`,
    currentTaskAt: taskTime(after.currentTask, known),
    ...connectMark(beat, before),
    ...(saysOfItsWork(beat, known) ? { workedAt: sql`cp_now()` } : {}),
  };
  await orm
    .insert(liveness)
    .values({ workspaceId: beat.workspaceId, ...stored })
    .onConflictDoUpdate({ target: liveness.workspaceId, set: stored });
  const isTold =
    after.currentTask !== (before?.currentTask ?? "") ||
    after.activeTasks !== (before?.activeTasks ?? 0);
  if (isTold) {
    await appendEvent(tx, {
      event: "TASK_UPDATED",
      subjectId: beat.workspaceId,
      payload: { current_task: after.currentTask, active_tasks: after.activeTasks },
    });
  }
  await applyHealth(tx, {
    workspaceId: beat.workspaceId,
    after,
    isFirstBeat: before === undefined,
    isConnectStep: beat.isRegistration !== true && (before?.firstBeatAt ?? null) === null,
  });
  return { isCurrent: true, activeTasks: after.activeTasks, uptimeSeconds: after.uptimeSeconds };
}

/** The step of a connection that this is, with the time it was first taken. SPEC: E1, E2. */
function connectMark(beat: Beat, before: LivenessRow | undefined) {
  return beat.isRegistration === true
    ? { registeredAt: before?.registeredAt ?? sql`cp_now()` }
    : { firstBeatAt: before?.firstBeatAt ?? sql`cp_now()` };
}

/** What is left out of a beat is unchanged, so it is no word about it. SPEC: G15. */
function saysOfItsWork(beat: Beat, known: LivenessRow | undefined): boolean {
  if (beat.activeTasks === undefined) return false;
  return beat.activeTasks > 0 || (known?.activeTasks ?? 0) > 0;
}

function isOfOlderAttempt(beat: Beat, before: LivenessRow | undefined): boolean {
  const last = before?.attemptNo ?? null;
  return beat.attemptNo !== null && last !== null && beat.attemptNo < last;
}

/** A new attempt starts with nothing known; what the old one said is not "unchanged". */
function isSameRun(beat: Beat, before: LivenessRow | undefined): boolean {
  return before !== undefined && (beat.attemptNo === null || beat.attemptNo === before.attemptNo);
}

function merged(beat: Beat, known: LivenessRow | undefined) {
  const idle = beat.idleTimeoutSeconds;
  return {
    attemptNo: beat.attemptNo ?? known?.attemptNo ?? null,
    errorRate: beat.errorRate ?? known?.errorRate ?? 0,
    sampleError: textOf(beat.sampleError) ?? known?.sampleError ?? "",
    activeTasks: beat.activeTasks ?? known?.activeTasks ?? 0,
    uptimeSeconds: beat.uptimeSeconds ?? known?.uptimeSeconds ?? 0,
    currentTask: textOf(beat.currentTask) ?? known?.currentTask ?? "",
    runtimeState: textOf(beat.runtimeState) ?? known?.runtimeState ?? "",
    capabilities: { ...(beat.capabilities ?? known?.capabilities) },
    idleTimeoutSeconds:
      idle === undefined ? (known?.idleTimeoutSeconds ?? null) : idle > 0 ? idle : null,
  };
}

function textOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : storableText(text);
}

function taskTime(task: string, known: LivenessRow | undefined) {
  if (known !== undefined && known.currentTask === task) return known.currentTaskAt;
  return task === "" ? null : sql`cp_now()`;
}

type Reported = ReturnType<typeof merged>;

interface BeatEffect {
  readonly workspaceId: string;
  readonly after: Reported;
  readonly isFirstBeat: boolean;
  /** Its first heartbeat since its tokens were last replaced. */
  readonly isConnectStep: boolean;
}

async function applyHealth(tx: Transaction, effect: BeatEffect): Promise<void> {
  const { workspaceId: id, after } = effect;
  const orm = ormOf(tx);
  const [now] = await orm
    .select({
      health: workspaces.health,
      backend: workspaces.backend,
      phase: workspaces.phase,
      failure: workspaces.failure,
    })
    .from(workspaces)
    .where(eq(workspaces.id, id));
  if (now === undefined || !(now.backend === "external" || now.phase === "READY")) return;
  const isFound = now.backend === "external" && (effect.isFirstBeat || now.health === SILENT);
  const reported = {
    errorRate: after.errorRate,
    runtimeState: after.runtimeState,
    managesStatus: after.capabilities.status_mgmt === true,
  };
  const isInOutage = now.failure?.code === "engine_unavailable";
  const next = healthAfterBeat(now.health, reported, isInOutage);
  if (next !== now.health) {
    const changed = await orm
      .update(workspaces)
      .set({ health: next })
      .where(sql`${workspaces.id} = ${id} AND ${workspaces.health} = ${now.health}
        AND ${workspaces.intent} = 'run' AND ${workspaces.phase} = ${now.phase}`)
      .returning({ id: workspaces.id });
    if (changed.length === 0) return;
  } else if (!isFound) {
    if (effect.isConnectStep && now.backend === "external") await tellConnectStep(tx, id);
    return;
  }
  await appendEvent(tx, healthEvent(id, next, { after, isFound }));
}

function healthEvent(
  subjectId: string,
  to: Health,
  told: { readonly after: Reported; readonly isFound: boolean },
): NewEvent {
  if (to === "ok") {
    const payload = told.isFound ? { recovered_from: "awaiting_agent" } : {};
    return { event: "WORKSPACE_ONLINE", subjectId, payload };
  }
  const { runtimeState, errorRate, sampleError } = told.after;
  const sample_error = sampleError.slice(0, 2000);
  const payload =
    runtimeState === ""
      ? { error_rate: errorRate, sample_error }
      : { runtime_state: runtimeState, sample_error };
  return { event: "WORKSPACE_DEGRADED", subjectId, payload };
}

/** When the workspace last beat and the silence it asked for; null before its first beat. */
export async function readLiveness(
  q: Queryable,
  workspaceId: string,
): Promise<{ readonly lastHeartbeatAt: Date; readonly idleTimeoutSeconds: number | null } | null> {
  const [row] = await ormOf(q)
    .select({
      lastHeartbeatAt: liveness.lastHeartbeatAt,
      idleTimeoutSeconds: liveness.idleTimeoutSeconds,
    })
    .from(liveness)
    .where(eq(liveness.workspaceId, workspaceId));
  return row ?? null;
}

/**
 * Marks external workspaces that fell silent and tells each once; a later beat takes the mark away.
 * Any number of processes may run it. Returns how many were marked.
 */
export async function markSilentExternals(tx: Transaction): Promise<number> {
  const orm = ormOf(tx);
  const rows = await orm.execute<{ id: string; name: string }>(sql`
    UPDATE workspaces w SET health = 'suspected_down' FROM liveness l
    WHERE l.workspace_id = w.id AND w.backend = 'external' AND w.intent = 'run'
      AND w.health <> 'suspected_down'
      AND l.last_heartbeat_at < cp_now() - make_interval(secs => ${EXTERNAL_STALE_AFTER_SECONDS})
    RETURNING w.id, w.name`);
  for (const row of rows) {
    const payload = { name: row.name, external: true };
    await appendEvent(tx, { event: "WORKSPACE_AWAITING_AGENT", subjectId: row.id, payload });
  }
  return rows.length;
}
