import { type WorkspaceConfig, workspaceConfig } from "@molecule/contracts/workspaces";
import { DomainError } from "@molecule/domain/errors";
import type { ApplyPolicy, Backend, Intent, Phase, Runtime } from "@molecule/domain/sets";
import { and, desc, eq, isNotNull, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { removedError } from "../lifecycle/lock-workspace.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import { storableJson, storableText } from "../storable.ts";

/** The configuration of a workspace with what a change of it is decided from. */
export interface ConfigRow {
  readonly id: string;
  readonly name: string;
  readonly role: string | null;
  readonly tier: number;
  readonly runtime: Runtime;
  readonly backend: Backend;
  readonly intent: Intent;
  readonly template: string | null;
  readonly applyPolicy: ApplyPolicy;
  /** How what is saved and not applied yet was saved; null: as `applyPolicy` says. */
  readonly pendingPolicy: ApplyPolicy | null;
  readonly phase: Phase;
  readonly currentAttempt: number;
  readonly maxConcurrentTasks: number;
  readonly budgetLimit: number | null;
  /** Null: it never falls asleep by itself. */
  readonly hibernationIdleMinutes: number | null;
  readonly config: WorkspaceConfig;
  readonly configVersion: number;
  readonly desiredGen: number;
  readonly appliedGen: number;
}

const columns = {
  id: workspaces.id,
  name: workspaces.name,
  role: workspaces.role,
  tier: workspaces.tier,
  runtime: workspaces.runtime,
  backend: workspaces.backend,
  intent: workspaces.intent,
  template: workspaces.template,
  applyPolicy: workspaces.applyPolicy,
  pendingPolicy: workspaces.pendingPolicy,
  phase: workspaces.phase,
  currentAttempt: workspaces.currentAttempt,
  maxConcurrentTasks: workspaces.maxConcurrentTasks,
  budgetLimit: workspaces.budgetLimit,
  hibernationIdleMinutes: workspaces.hibernationIdleMinutes,
  config: workspaces.config,
  configVersion: workspaces.configVersion,
  desiredGen: workspaces.desiredGen,
  appliedGen: workspaces.appliedGen,
  removedAt: workspaces.removedAt,
};

/** The configuration as stored. @throws DomainError `not_found`, `removed`. */
export async function readConfig(q: Queryable, id: string): Promise<ConfigRow> {
  const [row] = await ormOf(q).select(columns).from(workspaces).where(eq(workspaces.id, id));
  return present(id, row);
}

/** The same, locked until the transaction ends, so that what is compared is what is changed. */
export async function lockConfig(tx: Transaction, id: string): Promise<ConfigRow> {
  const [row] = await ormOf(tx)
    .select(columns)
    .from(workspaces)
    .where(eq(workspaces.id, id))
    .for("update");
  return present(id, row);
}

function present(
  id: string,
  row: (ConfigRow & { readonly removedAt: Date | null }) | undefined,
): ConfigRow {
  if (row === undefined) throw new DomainError("not_found", "There is no such workspace.");
  const { removedAt, ...config } = row;
  if (config.intent === "deleted") throw removedError(id, removedAt);
  return config;
}

/** What a change of the configuration writes; absent fields stay. */
export interface ConfigChange {
  readonly config?: WorkspaceConfig;
  readonly name?: string;
  readonly role?: string | null;
  readonly tier?: number;
  /** The template whose content the workspace now has. */
  readonly template?: string | null;
  readonly runtime?: Runtime;
}

/** Writes the document. Its generation and version are `recordWrite`'s. */
export async function writeConfig(
  tx: Transaction,
  id: string,
  change: ConfigChange,
): Promise<void> {
  if (Object.keys(change).length === 0) return;
  const { config, name, role } = change;
  await ormOf(tx)
    .update(workspaces)
    .set({
      ...change,
      ...(config === undefined ? {} : { config: workspaceConfig.parse(storableJson(config)) }),
      ...(name === undefined ? {} : { name: storableText(name) }),
      ...(role === undefined || role === null ? {} : { role: storableText(role) }),
    })
    .where(eq(workspaces.id, id));
}

/** What the platform does with an agent by itself; absent fields stay. */
export interface Policies {
  readonly applyPolicy?: ApplyPolicy | undefined;
  /** Null: it never falls asleep by itself. */
  readonly hibernationIdleMinutes?: number | null | undefined;
}

/** Changes policies. They are no part of what an agent is started with, so nothing restarts. */
export async function writePolicies(
  tx: Transaction,
  id: string,
  policies: Policies,
): Promise<void> {
  const { applyPolicy, hibernationIdleMinutes } = policies;
  await ormOf(tx)
    .update(workspaces)
    .set({
      ...policies,
      // A policy that is chosen now counts for what was saved before.
      ...(applyPolicy === undefined ? {} : { pendingPolicy: null, ...released }),
      // What was held back, and when it sleeps, is looked at again; the reconciler decides.
      nextActionAt: sql`CASE WHEN ${workspaces.phase} = 'READY'
          AND (${hibernationIdleMinutes !== undefined} OR ${workspaces.desiredGen} > ${workspaces.appliedGen})
        THEN cp_now() ELSE ${workspaces.nextActionAt} END`,
    })
    .where(eq(workspaces.id, id));
  await appendEvent(tx, {
    event: "WORKSPACE_UPDATED",
    subjectId: id,
    payload: {
      ...(applyPolicy === undefined ? {} : { apply_policy: applyPolicy }),
      ...(hibernationIdleMinutes === undefined
        ? {}
        : { hibernation_idle_minutes: hibernationIdleMinutes }),
    },
  });
  await hintWork(tx, id);
}

/** What was held is due now: running turns are waited for from here on, not from when it was saved. */
const wasHeld = sql`COALESCE(${workspaces.pendingPolicy}, ${workspaces.applyPolicy}) = 'hold'
  AND ${workspaces.desiredGen} > ${workspaces.appliedGen}`;
const released = {
  dirtyIsBatch: sql`CASE WHEN ${wasHeld} THEN true ELSE ${workspaces.dirtyIsBatch} END`,
  lastDirtyAt: sql`CASE WHEN ${wasHeld} THEN cp_now() ELSE ${workspaces.lastDirtyAt} END`,
};

/** The configuration that an agent was started with. */
export interface EffectiveConfig {
  readonly config: WorkspaceConfig;
  readonly generation: number;
}

/**
 * What the latest agent that came up was started with: a start that is under way or failed changes
 * nothing about it. Null before the first.
 */
export async function readEffectiveConfig(
  q: Queryable,
  workspaceId: string,
): Promise<EffectiveConfig | null> {
  const [row] = await ormOf(q)
    .select({ config: attempts.snapConfig, generation: attempts.snapGen })
    .from(attempts)
    .where(
      and(
        eq(attempts.workspaceId, workspaceId),
        eq(attempts.outcome, "ready"),
        isNotNull(attempts.snapConfig),
      ),
    )
    .orderBy(desc(attempts.no))
    .limit(1);
  if (row === undefined || row.config === null || row.generation === null) return null;
  return { config: row.config, generation: row.generation };
}
