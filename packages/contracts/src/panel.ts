import {
  ACTIVITY_STATUSES,
  ACTIVITY_TYPES,
  APPLY_POLICIES,
  FILE_ROOTS,
} from "@molecule/domain/sets";
import { z } from "zod";
import { secretKey } from "./wire.ts";
import { isoTime, mergedChange } from "./workspaces.ts";

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

/** One part of the Configure tab; each is fetched and can fail by itself. */
export const configDocument = z.object({
  version: z.number().int(),
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
      model: z.string().nullable(),
      provider: z.string().nullable(),
      instructions: z.string(),
    })
    .nullable(),
  models: z.array(z.object({ id: z.string(), name: z.string() })),
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
  updatedAt: isoTime.nullable(),
});
export type SecretView = z.infer<typeof secretView>;

/** The canvas's one save: configuration, files and secrets in one transaction, one generation. */
export const saveInput = z.object({
  workspaceId: z.string(),
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
    .array(z.object({ key: secretKey, value: z.string().max(65_536).nullable() }))
    .max(100)
    .optional(),
});
export type SaveInput = z.infer<typeof saveInput>;

/** What a save did. */
export const saveResult = z.object({
  generation: z.number().int(),
  version: z.number().int(),
  /** False when everything was identical: nothing was written and nothing restarts. */
  changed: z.boolean(),
  willRestart: z.boolean(),
});

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
