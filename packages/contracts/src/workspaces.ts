import { FAILURE_CODES } from "@molecule/domain/errors";
import {
  ACTOR_KINDS,
  APPLY_POLICIES,
  ATTEMPT_OUTCOMES,
  ATTEMPT_REASONS,
  BACKENDS,
  CHANGE_KINDS,
  MACHINE_REACHES,
  PHASES,
  RUNTIMES,
  STAGES,
  WORKSPACE_STATUSES,
} from "@molecule/domain/sets";
import { z } from "zod";
import { installedPlugin } from "./plugins.ts";

/** An instant as ISO text in UTC. */
export const isoTime = z.string();

/** The one configuration document of a workspace. Absent fields mean the template's or the default. */
export const workspaceConfig = z.object({
  model: z.string().max(100).nullable(),
  provider: z.string().max(100).nullable(),
  /** Rendered into `/configs/system-prompt.md`. */
  instructions: z.string().max(200_000),
  description: z.string().max(1000),
  /** Keys the agent needs before it can start. */
  requiredEnv: z.array(z.string()),
  /** Starters offered in an empty chat. */
  starterPrompts: z.array(z.string()),
  /** Keys of `config.yaml` that we do not know; kept as they are. */
  extra: z.record(z.string(), z.unknown()),
  /** Installed plugins, by name; their files are managed files. Absent: none yet. */
  plugins: z.array(installedPlugin).optional(),
});
export type WorkspaceConfig = z.infer<typeof workspaceConfig>;

export const actorSchema = z.object({
  kind: z.enum(ACTOR_KINDS),
  id: z.string().optional(),
  name: z.string(),
});

/** What an attempt carries, grouped: 17 files and the model are two entries. */
export const mergedChange = z.object({
  kind: z.enum(CHANGE_KINDS),
  count: z.number().int(),
  /** At most ten names, in order of first change. */
  names: z.array(z.string()),
  actors: z.array(z.string()),
  from: isoTime,
  to: isoTime,
});
export type MergedChange = z.infer<typeof mergedChange>;

/** Why an attempt began, as data; `sentence` is the same for a person. */
export const attemptDetail = z.object({
  sentence: z.string(),
  merged: z.array(mergedChange),
  /** A restart request that this attempt absorbed instead of starting another. */
  absorbed: z.array(z.string()),
  /** Work that the restart broke off; absent when the agent was idle. */
  interrupted: z.array(z.object({ title: z.string(), from: z.string() })).optional(),
});
export type AttemptDetail = z.infer<typeof attemptDetail>;

/** When an attempt entered a stage. */
export const stageMark = z.object({
  stage: z.enum(STAGES),
  at: isoTime,
  /** What the stage is doing, for a person; the latest line of a stage that takes long. */
  progress: z.string().optional(),
});
export type StageMark = z.infer<typeof stageMark>;

export const publicFailure = z.object({
  code: z.enum(FAILURE_CODES),
  sentence: z.string(),
  next: z.string(),
  missing: z.array(z.string()).optional(),
});

/** One attempt as the card and the ledger show it. */
export const attemptView = z.object({
  no: z.number().int(),
  reason: z.enum(ATTEMPT_REASONS),
  detail: attemptDetail,
  actor: actorSchema,
  stage: z.enum(STAGES).nullable(),
  stages: z.array(stageMark),
  /** Median of the last attempts on this runtime and backend, in ms; null before there is one. */
  expectedMs: z.number().nullable(),
  outcome: z.enum(ATTEMPT_OUTCOMES).nullable(),
  failure: publicFailure.nullable(),
  createdAt: isoTime,
  readyAt: isoTime.nullable(),
  endedAt: isoTime.nullable(),
});
export type AttemptView = z.infer<typeof attemptView>;

/** Changes that are saved and not yet running. */
export const pendingView = z.object({
  merged: z.array(mergedChange),
  /** How they were saved, else how the workspace applies what is saved. */
  policy: z.enum(APPLY_POLICIES),
  /** When the restart is due by the settle rule; null while `hold` or while an attempt is open. */
  dueAt: isoTime.nullable(),
  /** True while only running turns are waited for. */
  isWaitingForTurns: z.boolean(),
  /** Then the restart comes though a turn runs; null while none is waited for, or without limit. */
  waitsUntil: isoTime.nullable(),
});

/** How far an agent that runs elsewhere has come with its connection. SPEC: E1. */
export const connectFacts = z.object({
  /** When the newest token that is still valid was issued. */
  tokenAt: isoTime.nullable(),
  registeredAt: isoTime.nullable(),
  firstBeatAt: isoTime.nullable(),
  firstMessageAt: isoTime.nullable(),
});

/** The machine elsewhere that an agent runs on. */
export const machineFacts = z.object({
  /** Null: not known yet, or there is no way. */
  reach: z.enum(MACHINE_REACHES).nullable(),
  /** It has told its SSH host key. */
  hasHostKey: z.boolean(),
  since: isoTime,
});

/** Everything the canvas shows of a workspace. One shape for the snapshot and for every event. */
export const workspaceNode = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string().nullable(),
  tier: z.number().int(),
  parentId: z.string().nullable(),
  runtime: z.enum(RUNTIMES),
  backend: z.enum(BACKENDS),
  template: z.string().nullable(),
  status: z.enum(WORKSPACE_STATUSES),
  phase: z.enum(PHASES),
  applyPolicy: z.enum(APPLY_POLICIES),
  /** What the running agent was started with; null before the first start. */
  effectiveModel: z.string().nullable(),
  /** What the next start will use. */
  desiredModel: z.string().nullable(),
  configVersion: z.number().int(),
  desiredGen: z.number().int(),
  appliedGen: z.number().int(),
  /** The latest attempt, open or ended; null before the first. */
  attempt: attemptView.nullable(),
  pending: pendingView.nullable(),
  /** It is to run and has not begun to start: of an imported team only a few start at once. */
  waitsForTurn: z.boolean(),
  /** When the next retry comes, in BACKOFF. */
  retryAt: isoTime.nullable(),
  deadlineAt: isoTime.nullable(),
  failure: publicFailure.nullable(),
  /** Who paused it or put it to sleep, and when; null while it shall run. */
  pausedBy: z.string().nullable(),
  pausedAt: isoTime.nullable(),
  /** Instances that are stopped but whose backend has not confirmed their removal. */
  waitingForRemoval: z.number().int(),
  /** Of the current attempt; null where the backend has no machines, or before there is one. */
  machine: machineFacts.nullable(),
  agentCard: z.record(z.string(), z.unknown()).nullable(),
  activeTasks: z.number().int(),
  maxConcurrentTasks: z.number().int(),
  currentTask: z.string(),
  currentTaskAt: isoTime.nullable(),
  errorRate: z.number(),
  sampleError: z.string(),
  lastHeartbeatAt: isoTime.nullable(),
  readyAt: isoTime.nullable(),
  /** Null for agents that the platform starts itself. */
  connect: connectFacts.nullable(),
  lastActivity: z.object({ summary: z.string(), at: isoTime }).nullable(),
  x: z.number(),
  y: z.number(),
  collapsed: z.boolean(),
  /** Grows with every change of this node; an older node never replaces a newer one. */
  revision: z.number().int(),
});
export type WorkspaceNode = z.infer<typeof workspaceNode>;

/** Opening the canvas: one request. `cursor` is where the stream starts. */
export const canvasSnapshot = z.object({
  cursor: z.string(),
  at: isoTime,
  nodes: z.array(workspaceNode),
  viewport: z.object({ x: z.number(), y: z.number(), zoom: z.number() }),
  member: z.object({ name: z.string(), role: z.string() }),
  platform: z.object({
    version: z.string(),
    backends: z.array(
      z.object({ name: z.enum(BACKENDS), isAvailable: z.boolean(), note: z.string() }),
    ),
    defaultBackend: z.enum(BACKENDS),
    /** The consequence of the chosen backend, for a person. */
    backendNote: z.string(),
    hasWorker: z.boolean(),
    /** Questions of sweeps that nobody has answered yet; SWEEP_ACTED tells of later ones. */
    openHolds: z.number().int(),
    /** Requests of agents that wait for a person; APPROVAL_* tell of later ones. */
    openApprovals: z.number().int(),
  }),
  templates: z.array(z.lazy(() => templateView)),
  /** Names of organisation secrets that are set. */
  globalSecretKeys: z.array(z.string()),
});
export type CanvasSnapshot = z.infer<typeof canvasSnapshot>;

/** A provider, its models, and the keys that each needs. */
export const providerView = z.object({
  /** Null: nobody says whose models these are. */
  provider: z.string().nullable(),
  /** Nobody names it; its models' prefixes do. */
  isInferred: z.boolean(),
  /** Needs of a model that is not listed; of each need one key is enough. */
  keys: z.array(z.array(z.string())),
  models: z.array(
    z.object({ id: z.string(), name: z.string(), keys: z.array(z.array(z.string())) }),
  ),
});
export type ProviderView = z.infer<typeof providerView>;

/** A template as the create sheet shows it. */
export const templateView = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  runtime: z.enum(RUNTIMES),
  tier: z.number().int(),
  model: z.string(),
  /** Null: it names none. */
  provider: z.string().nullable(),
  /** In the order to choose from; empty where the template offers neither providers nor models. */
  providers: z.array(providerView),
  requiredEnv: z.array(z.string()),
  starterPrompts: z.array(z.string()),
  /** Why the template cannot be used; null when it can. */
  broken: z.string().nullable(),
  /** Somebody imported it, so it can be removed; else it is of the operator's folder. */
  isImported: z.boolean(),
});
export type TemplateView = z.infer<typeof templateView>;
