import {
  ACTIVITY_WORDS,
  DELEGATION_STATUSES,
  isActivityWord,
} from "@molecule/domain/activity-words";
import { TOLD_REFUSALS } from "@molecule/domain/boot-token";
import {
  ACTIVITY_TYPES,
  APPLY_POLICIES,
  ATTEMPT_REASONS,
  BACKENDS,
  CHANGE_KINDS,
  DELIVERY_MODES,
  ORG_IMPORT_STATES,
  RUNTIMES,
  SCHEDULE_OUTCOMES,
  STAGES,
  SWEEP_ACTIONS,
} from "@molecule/domain/sets";
import { z } from "zod";

const text = z.string();
const int = z.number().int();
const object = z.record(z.string(), z.unknown());
/** Bodies that are too large for the log are in the row that `body_in` names. */
const bodies = {
  tool_trace: z.unknown().optional(),
  request_body: z.unknown().optional(),
  response_body: z.unknown().optional(),
  body_in: text.optional(),
};
const schedule = { schedule_id: text, schedule_name: text };
const approval = { approval_id: text, action: text, task_id: text.nullable() };
const attachment = z.object({
  uri: text,
  name: text,
  mimeType: text.nullish(),
  size: z.number().nullish(),
});

/**
 * What each event carries, every name of the closed set once. Fields that only some occasions have are
 * optional. Source: wire contract §16.3; what is ours and additional is in docs/compatibility.md.
 */
const SHAPES = {
  WORKSPACE_PROVISIONING: {
    name: text,
    tier: int,
    runtime: z.enum(RUNTIMES),
    parent_id: text.optional(),
    x: z.number().optional(),
    y: z.number().optional(),
    attempt: int.optional(),
    reason: z.enum(ATTEMPT_REASONS).optional(),
  },
  WORKSPACE_ONLINE: {
    url: text.optional(),
    agent_card: object.optional(),
    delivery_mode: z.enum(DELIVERY_MODES).optional(),
    recovered_from: text.optional(),
    attempt: int.optional(),
    name: text.optional(),
    external: z.literal(true).optional(),
  },
  WORKSPACE_OFFLINE: {
    attempt: int.optional(),
    suspected: z.boolean().optional(),
    error: text.optional(),
  },
  WORKSPACE_DEGRADED: {
    error_rate: z.number().optional(),
    runtime_state: text.optional(),
    sample_error: text,
  },
  WORKSPACE_PROVISION_FAILED: {
    error: text,
    code: text.optional(),
    runtime: z.enum(RUNTIMES).optional(),
    attempt: int.optional(),
    will_retry: z.boolean().optional(),
    missing: z.array(text).optional(),
    timeout_secs: z.number().optional(),
    source: text.optional(),
    log_tail: text.optional(),
  },
  WORKSPACE_AWAITING_AGENT: { name: text, external: z.literal(true) },
  WORKSPACE_PAUSED: { name: text, tier: int.optional() },
  WORKSPACE_HIBERNATED: { name: text, tier: int },
  WORKSPACE_REMOVED: { name: text.optional(), cascade_deleted: int.optional() },
  WORKSPACE_UPDATED: {
    changed: z.array(text).optional(),
    name: text.optional(),
    apply_policy: z.enum(APPLY_POLICIES).optional(),
    hibernation_idle_minutes: int.nullable().optional(),
    idle_minutes: z.number().optional(),
    restart_attempt: int.nullable().optional(),
  },
  WORKSPACE_STAGE: { attempt: int, stage: z.enum(STAGES), progress: text.optional() },
  WORKSPACE_PENDING_CHANGE: {
    kind: z.enum(CHANGE_KINDS).optional(),
    path: text.optional(),
    count: int,
    generation: int,
  },
  WORKSPACE_AUTO_RESTART_FIRED: {
    attempt: int,
    reason: z.enum(ATTEMPT_REASONS),
    detail: text,
    actor: text,
    merged: z.array(
      z.object({ kind: z.enum(CHANGE_KINDS), count: int, from: z.unknown(), to: z.unknown() }),
    ),
    generation: int,
  },
  WORKSPACE_RESTARTING_MID_WRITE: {
    attempt: int,
    kind: z.enum(CHANGE_KINDS).optional(),
    path: text.optional(),
    will_apply_in: z.enum(["this", "next"]),
  },
  WORKSPACE_HEARTBEAT: { active_tasks: int, uptime_seconds: int },
  AGENT_CARD_UPDATED: { agent_card: object.optional() },
  TASK_UPDATED: { current_task: text, active_tasks: int },
  ACTIVITY_LOGGED: {
    id: text.optional(),
    seq: int.optional(),
    activity_type: z.enum(ACTIVITY_TYPES),
    method: text.nullable(),
    summary: text.nullable(),
    status: z.enum(ACTIVITY_WORDS),
    source_id: text.nullable(),
    target_id: text.nullable(),
    duration_ms: z.number().nullable(),
    ...bodies,
  },
  AGENT_MESSAGE: {
    message: text,
    workspace_id: text,
    name: text,
    activity_id: text.optional(),
    attachments: z.array(attachment).optional(),
  },
  A2A_RESPONSE: {
    activity_id: text,
    message_id: text.nullable(),
    method: text.nullable(),
    duration_ms: z.number().nullable(),
    response_body: z.unknown().optional(),
    body_in: text.optional(),
  },
  DELEGATION_SENT: { delegation_id: text, target_id: text, task_preview: text.max(100) },
  DELEGATION_STATUS: {
    delegation_id: text,
    target_id: text.nullish(),
    status: z.enum(DELEGATION_STATUSES),
  },
  DELEGATION_COMPLETE: {
    delegation_id: text,
    target_id: text.nullish(),
    response_preview: text.max(300),
    via: text.optional(),
  },
  DELEGATION_FAILED: { delegation_id: text, target_id: text.nullish(), error: text },
  LAYOUT_UPDATED: {},
  SWEEP_ACTED: {
    action: z.enum(SWEEP_ACTIONS),
    rule: text,
    backend: z.enum(BACKENDS).nullable(),
    workspace_id: text.nullable(),
    summary: text,
    evidence: z.record(z.string(), z.union([text, z.number(), z.boolean(), z.null()])),
  },
  SCHEDULE_UPDATED: {
    ...schedule,
    change: z.enum(["created", "changed", "deleted", "fired"]),
  },
  CRON_EXECUTED: { ...schedule, status: z.enum(SCHEDULE_OUTCOMES) },
  CRON_SKIPPED: { ...schedule, reason: text, code: text.optional() },
  APPROVAL_REQUESTED: { ...approval, reason: text },
  APPROVAL_APPROVED: { ...approval, decided_by: text.nullable() },
  APPROVAL_DENIED: { ...approval, decided_by: text.nullable() },
  ORG_IMPORT_UPDATED: {
    import_id: text,
    org: text,
    state: z.enum(ORG_IMPORT_STATES),
    staged: z.boolean(),
    actor: text,
    total: int,
    /** Made by it, or there already. */
    there: int,
    left_out: int,
    /** Those whose turn to start has come. */
    released: int,
  },
  BOOT_TOKEN_REFUSED: { attempt: int, why: z.enum(TOLD_REFUSALS), summary: text },
} as const satisfies Record<string, z.ZodRawShape>;

const told: Record<string, z.ZodType> = {
  ...Object.fromEntries(
    Object.entries(SHAPES).map(([event, shape]) => [event, z.strictObject(shape)]),
  ),
  ACTIVITY_LOGGED: z
    .strictObject(SHAPES.ACTIVITY_LOGGED)
    .refine(({ activity_type, status }) => isActivityWord(activity_type, status), {
      path: ["status"],
      message: "is no word for a row of this kind",
    }),
};
const heard = Object.fromEntries(
  Object.entries(SHAPES).map(([event, shape]) => [event, z.looseObject(shape)]),
) as Record<string, z.ZodType>;

/**
 * Why a payload is not one of its event; null when it is. Whoever tells sends what is written here and
 * nothing else; whoever hears passes over what a newer server adds, and over names it does not know.
 */
export function payloadProblem(
  event: string,
  payload: unknown,
  end: "told" | "heard",
): string | null {
  const schema = end === "told" ? told[event] : heard[event];
  if (schema === undefined) return end === "told" ? `${event} is no event` : null;
  const read = schema.safeParse(payload);
  if (read.success) return null;
  const [issue] = read.error.issues;
  // Never the value: a payload may hold what a person wrote.
  return `${event}: ${issue?.path.join(".") || "payload"}: ${issue?.message ?? "wrong"}`;
}
