import type { Backend, DeliveryMode, Intent, WorkspaceStatus } from "@molecule/domain/sets";
import { type SQL, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { fixedStatement } from "../fixed-statement.ts";

/** Everything the proxy needs to know of the workspace a message is for. */
export interface Target {
  readonly id: string;
  readonly name: string;
  readonly status: WorkspaceStatus;
  readonly intent: Intent;
  readonly backend: Backend;
  readonly deliveryMode: DeliveryMode;
  readonly currentAttempt: number;
  /** host:port the worker recorded for the current attempt; null for external ones and before that. */
  readonly providerAddr: string | null;
  /** What an external agent registered; never dialled for any other backend. */
  readonly advertisedUrl: string;
  readonly maxConcurrentTasks: number;
  readonly budgetLimit: number | null;
  readonly monthlySpend: number;
  readonly idleTimeoutSeconds: number | null;
  readonly lastHeartbeatAt: Date | null;
  readonly removedAt: Date | null;
  /** It has answered, or sent, a message at some time. */
  readonly hasSpoken: boolean;
  /** It keeps its own sessions: while it is busy a message is refused instead of kept. */
  readonly hasNativeSession: boolean;
  /** The sealed secret by which the platform shows itself to it; null when there is none. */
  readonly inboundSecret: Uint8Array | null;
  /** Changes with everything above but the beat: a message may be accepted for what it stands for. */
  readonly fingerprint: string;
}

interface TargetRow extends Record<string, unknown> {
  id: string;
  name: string;
  status: WorkspaceStatus;
  intent: Intent;
  backend: Backend;
  delivery_mode: DeliveryMode;
  current_attempt: string;
  provider_addr: string | null;
  advertised_url: string;
  max_concurrent_tasks: number;
  budget_limit: number | null;
  monthly_spend: number;
  idle_timeout_seconds: number | null;
  last_heartbeat_at: string | null;
  removed_at: string | null;
  has_spoken: boolean;
  has_native_session: boolean;
  inbound_secret: Uint8Array | null;
  fingerprint: string;
}

/** The rows that tell of the target `w`: `s` its status, `a` its attempt, `l` its liveness. */
export const targetRows: SQL<unknown> = sql`workspaces w
  JOIN workspace_statuses s ON s.workspace_id = w.id
  LEFT JOIN attempts a ON a.workspace_id = w.id AND a.no = w.current_attempt
  LEFT JOIN liveness l ON l.workspace_id = w.id`;

/** Of {@link targetRows}: everything that decides how a message reaches the target, in few bytes. */
export const targetFingerprint: SQL<unknown> = sql`md5(ROW(w.name, s.status, w.intent, w.backend,
  w.delivery_mode, w.current_attempt, a.provider_addr, w.advertised_url, w.max_concurrent_tasks,
  w.budget_limit, w.monthly_spend, l.idle_timeout_seconds, w.removed_at, w.inbound_secret,
  l.first_message_at IS NOT NULL, l.capabilities @> '{"session": true}')::text)`;

const loading = fixedStatement<{ readonly id: string }>(sql`
  SELECT w.id, w.name, s.status, w.intent, w.backend, w.delivery_mode, w.current_attempt,
    a.provider_addr, w.advertised_url, w.max_concurrent_tasks, w.budget_limit, w.monthly_spend,
    l.idle_timeout_seconds, l.last_heartbeat_at, w.removed_at, w.inbound_secret,
    l.first_message_at IS NOT NULL AS has_spoken,
    COALESCE(l.capabilities @> '{"session": true}', false) AS has_native_session,
    ${targetFingerprint} AS fingerprint
  FROM ${targetRows}
  WHERE w.id = ${sql.placeholder("id")}`);

/** The workspace with this id, removed ones included; null when there is none. */
export async function loadTarget(q: Queryable, workspaceId: string): Promise<Target | null> {
  const [row] = await ormOf(q).execute<TargetRow>(loading({ id: workspaceId }));
  if (row === undefined) return null;
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    intent: row.intent,
    backend: row.backend,
    deliveryMode: row.delivery_mode,
    currentAttempt: Number(row.current_attempt),
    providerAddr: row.provider_addr,
    advertisedUrl: row.advertised_url,
    maxConcurrentTasks: row.max_concurrent_tasks,
    budgetLimit: row.budget_limit,
    monthlySpend: row.monthly_spend,
    idleTimeoutSeconds: row.idle_timeout_seconds,
    lastHeartbeatAt: row.last_heartbeat_at === null ? null : new Date(row.last_heartbeat_at),
    removedAt: row.removed_at === null ? null : new Date(row.removed_at),
    hasSpoken: row.has_spoken,
    hasNativeSession: row.has_native_session,
    inboundSecret: row.inbound_secret,
    fingerprint: row.fingerprint,
  };
}

/** Parents by id, of the given workspaces and of all above them. Removed ones are not in it. */
export async function loadParents(
  q: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  const list = sql.join(
    ids.map((id) => sql`${id}::uuid`),
    sql`, `,
  );
  const rows = await ormOf(q).execute<{ id: string; parent_id: string | null }>(sql`
    WITH RECURSIVE up AS (
      SELECT id, parent_id, 0 AS depth FROM workspaces WHERE id IN (${list}) AND intent <> 'deleted'
      UNION
      SELECT w.id, w.parent_id, up.depth + 1 FROM workspaces w JOIN up ON w.id = up.parent_id
      WHERE up.depth < 40 AND w.intent <> 'deleted')
    SELECT DISTINCT id, parent_id FROM up`);
  return new Map(rows.map((row) => [row.id, row.parent_id]));
}

/** A workspace that another may speak to. */
export interface Peer {
  readonly id: string;
  readonly name: string;
  readonly role: string | null;
  readonly tier: number;
  readonly status: WorkspaceStatus;
  readonly agentCard: Record<string, unknown> | null;
  readonly advertisedUrl: string;
  readonly parentId: string | null;
  readonly activeTasks: number;
  readonly relation: "sibling" | "child" | "parent";
}

interface PeerRow extends Record<string, unknown> {
  id: string;
  name: string;
  role: string | null;
  tier: number;
  status: WorkspaceStatus;
  agent_card: Record<string, unknown> | null;
  advertised_url: string;
  parent_id: string | null;
  active_tasks: number;
  relation: Peer["relation"];
}

/** Siblings, then children, then the parent; each group by name. Removed ones are left out. */
export async function listPeers(q: Queryable, workspaceId: string): Promise<Peer[]> {
  const rows = await ormOf(q).execute<PeerRow>(sql`
    SELECT p.id, p.name, p.role, p.tier, s.status, p.agent_card, p.advertised_url, p.parent_id,
      COALESCE(l.active_tasks, 0) AS active_tasks,
      CASE WHEN p.id = me.parent_id THEN 'parent' WHEN p.parent_id = me.id THEN 'child'
        ELSE 'sibling' END AS relation
    FROM workspaces me
    JOIN workspaces p ON p.id <> me.id AND p.intent <> 'deleted'
      AND (p.id = me.parent_id OR p.parent_id = me.id OR p.parent_id IS NOT DISTINCT FROM me.parent_id)
    JOIN workspace_statuses s ON s.workspace_id = p.id
    LEFT JOIN liveness l ON l.workspace_id = p.id
    WHERE me.id = ${workspaceId}
    ORDER BY CASE WHEN p.id = me.parent_id THEN 2 WHEN p.parent_id = me.id THEN 1 ELSE 0 END,
      lower(p.name), p.id`);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    role: row.role,
    tier: row.tier,
    status: row.status,
    agentCard: row.agent_card,
    advertisedUrl: row.advertised_url,
    parentId: row.parent_id,
    activeTasks: row.active_tasks,
    relation: row.relation,
  }));
}
