import { CONFIG_SOURCES } from "@molecule/domain/config-source";
import {
  ACTIVITY_STATUSES,
  ACTIVITY_TYPES,
  APPLY_POLICIES,
  BACKENDS,
  FILE_ROOTS,
  RUNTIMES,
} from "@molecule/domain/sets";
import { z } from "zod";
import { pluginEdit, pluginView } from "./plugins.ts";
import { secretKey, secretText } from "./wire.ts";
import { isoTime, mergedChange, providerView } from "./workspaces.ts";

/** One message of a conversation with a person, rebuilt from activity. */
export const chatMessage = z.object({
  /** Activity id plus `:q` (asked) or `:a` (answered); stable across live and history. */
  id: z.string(),
  seq: z.number().int(),
  role: z.enum(["person", "agent"]),
  text: z.string(),
  at: isoTime,
  /** `pending` while the answer is being made; `queued` while the target is not ready. */
  status: z.enum(ACTIVITY_STATUSES),
  error: z.string().nullable(),
  author: z.string(),
  messageId: z.string().nullable(),
  tools: z.array(z.object({ name: z.string(), detail: z.string() })),
  attachments: z.array(z.object({ name: z.string(), uri: z.string() })),
});
export type ChatMessage = z.infer<typeof chatMessage>;

/** One row of the Activity tab. */
export const activityView = z.object({
  id: z.string(),
  seq: z.number().int(),
  type: z.enum(ACTIVITY_TYPES),
  status: z.enum(ACTIVITY_STATUSES),
  summary: z.string(),
  method: z.string().nullable(),
  sourceId: z.string().nullable(),
  targetId: z.string().nullable(),
  sourceName: z.string().nullable(),
  targetName: z.string().nullable(),
  actorName: z.string().nullable(),
  durationMs: z.number().nullable(),
  errorDetail: z.string().nullable(),
  request: z.string().nullable(),
  response: z.string().nullable(),
  at: isoTime,
});
export type ActivityView = z.infer<typeof activityView>;

export const fileEntry = z.object({ path: z.string(), size: z.number(), dir: z.boolean() });
export type FileEntry = z.infer<typeof fileEntry>;

/** A file opened in the editor. `sha256` is the base of the next save. */
export const fileContent = z.object({
  root: z.enum(FILE_ROOTS),
  path: z.string(),
  content: z.string(),
  sha256: z.string(),
  size: z.number(),
  /** The bytes are not text: shown as such, never saved back. */
  isBinary: z.boolean(),
});
export type FileContent = z.infer<typeof fileContent>;

/** Where each value of the form comes from. */
const configSources = z.object({
  model: z.enum(CONFIG_SOURCES),
  provider: z.enum(CONFIG_SOURCES),
  instructions: z.enum(CONFIG_SOURCES),
  description: z.enum(CONFIG_SOURCES),
  tier: z.enum(CONFIG_SOURCES),
  applyPolicy: z.enum(CONFIG_SOURCES),
  sleepAfterMinutes: z.enum(CONFIG_SOURCES),
});

/**
 * The one configuration document of a workspace, with what runs beside what is saved. Its secrets and
 * schedules are read by themselves, so that each part can fail without the others.
 */
export const configDocument = z.object({
  version: z.number().int(),
  /** The newest generation: what is saved. */
  generation: z.number().int(),
  runtime: z.enum(RUNTIMES),
  backend: z.enum(BACKENDS),
  template: z.string().nullable(),
  desired: z.object({
    model: z.string().nullable(),
    provider: z.string().nullable(),
    instructions: z.string(),
    description: z.string(),
    tier: z.number().int(),
    applyPolicy: z.enum(APPLY_POLICIES),
    /** Falls asleep when nothing has happened for so long; null: never. */
    sleepAfterMinutes: z.number().int().nullable(),
  }),
  /** What the running agent was started with; null before the first start. */
  effective: z
    .object({
      /** Null where it is no longer known which one it was. */
      generation: z.number().int().nullable(),
      runtime: z.enum(RUNTIMES).nullable(),
      model: z.string().nullable(),
      provider: z.string().nullable(),
      instructions: z.string(),
      description: z.string(),
      tier: z.number().int().nullable(),
      skills: z.array(z.string()),
      plugins: z.array(z.string()),
      installedPlugins: z.array(
        z.object({ name: z.string(), version: z.string(), sha256: z.string() }),
      ),
    })
    .nullable(),
  sources: configSources,
  /** Names of `skills` and `plugins` in `config.yaml`. */
  skills: z.array(z.string()),
  plugins: z.array(z.string()),
  /** What is installed, by name. */
  installedPlugins: z.array(pluginView),
  /** Uninstalled, and still there until the next restart. */
  leavingPlugins: z.array(z.string()),
  resources: z.object({
    tier: z.number().int(),
    maxConcurrentTasks: z.number().int(),
    /** In US cents a month; null: without limit. */
    budgetLimit: z.number().int().nullable(),
  }),
  /** What can be done with it where it runs, and what its runtime says of itself. */
  capabilities: z.object({
    restart: z.boolean(),
    liveFiles: z.boolean(),
    sleep: z.boolean(),
    reported: z.record(z.string(), z.boolean()),
  }),
  schedules: z.object({
    count: z.number().int(),
    enabled: z.number().int(),
    nextRunAt: isoTime.nullable(),
  }),
  /**
   * The parts that could not be read, each with a sentence: `effective`, `pending`, `capabilities`,
   * `schedules`, `template`. Such a part is empty here, and nothing is drawn from it.
   */
  failed: z.record(z.string(), z.string()),
  models: z.array(z.object({ id: z.string(), name: z.string() })),
  /** The same by provider, each with the keys that it needs; empty where nobody offers any. */
  providers: z.array(providerView),
  pending: z.array(mergedChange),
});
export type ConfigDocument = z.infer<typeof configDocument>;

export const secretView = z.object({
  key: z.string(),
  scope: z.enum(["workspace", "global"]),
  hasValue: z.boolean(),
  /** The value cannot be decrypted with the present key and must be entered again. */
  mustReenter: z.boolean(),
  isRequired: z.boolean(),
  /**
   * The agent was started with this value. False: it still has the earlier one, or none; null: none has
   * been started, or it runs elsewhere.
   */
  isRunning: z.boolean().nullable(),
  updatedAt: isoTime.nullable(),
});
export type SecretView = z.infer<typeof secretView>;

/** The canvas's one save: configuration, files and secrets in one transaction, one generation. */
export const saveInput = z.object({
  workspaceId: z.string(),
  /** How this, and what else is pending, is applied. Absent: as the workspace's policy says. */
  apply: z.enum(APPLY_POLICIES).optional(),
  /** Version the draft was based on; absent when the configuration is not touched. */
  baseVersion: z.number().int().optional(),
  config: z
    .object({
      model: z.string().max(100).nullable().optional(),
      provider: z.string().max(100).nullable().optional(),
      instructions: z.string().max(200_000).optional(),
      description: z.string().max(1000).optional(),
      tier: z.number().int().min(1).max(4).optional(),
      applyPolicy: z.enum(APPLY_POLICIES).optional(),
      sleepAfterMinutes: z.number().int().min(1).max(525_600).nullable().optional(),
    })
    .optional(),
  files: z
    .array(
      z.object({
        path: z.string(),
        /** null deletes. */
        content: z.string().nullable(),
        /** Hash the edit was based on; null for a new file. */
        baseSha256: z.string().nullable(),
      }),
    )
    .max(200)
    .optional(),
  secrets: z
    .array(z.object({ key: secretKey, value: secretText.nullable() }))
    .max(100)
    .optional(),
  plugins: z.array(pluginEdit).max(50).optional(),
});
export type SaveInput = z.infer<typeof saveInput>;

/** What a save did. */
export const saveResult = z.object({
  workspaceId: z.string(),
  generation: z.number().int(),
  version: z.number().int(),
  /** False when everything was identical: nothing was written and nothing restarts. */
  changed: z.boolean(),
  willRestart: z.boolean(),
  /** The attempt that will carry it; null while none is planned: held, resting, elsewhere. */
  attempt: z.number().int().nullable(),
  /** Turns that run now and are waited for; 0 when nothing restarts. */
  runningTasks: z.number().int(),
});
export type SaveResult = z.infer<typeof saveResult>;

/** Several workspaces in one transaction: all of them or none, one restart each. */
export const saveManyInput = z.strictObject({ saves: z.array(saveInput).min(1).max(200) });
export const saveManyResult = z.array(saveResult);

/**
 * The parts of an A2A agent card that a person is shown. Agents write their cards themselves, so
 * anything that is missing or odd reads as empty and nothing is refused.
 */
export const shownAgentCard = z.object({
  name: z.string().catch(""),
  description: z.string().catch(""),
  version: z.string().catch(""),
  skills: z
    .array(
      z.object({
        id: z.string().catch(""),
        name: z.string().catch(""),
        description: z.string().catch(""),
      }),
    )
    .catch([]),
  capabilities: z.record(z.string(), z.unknown()).catch({}),
});
