import { SECRET_RETURNS } from "@molecule/domain/config-diff";
import { ACTOR_KINDS, APPLY_POLICIES } from "@molecule/domain/sets";
import { z } from "zod";
import { workspaceIdText } from "./procedures.ts";
import { isoTime } from "./workspaces.ts";

/** Which value of which secret; never the value. `version` counts the values the key has had. */
export const secretMark = z.object({
  key: z.string(),
  scope: z.enum(["workspace", "global"]),
  version: z.number().int(),
});
export type SecretMark = z.infer<typeof secretMark>;

/** One generation as the history lists it. */
export const generationView = z.object({
  gen: z.number().int(),
  at: isoTime,
  actor: z.object({ kind: z.enum(ACTOR_KINDS), name: z.string() }),
  /** "model and 2 files", "secret OPENAI_API_KEY"; for the first one "created". */
  summary: z.string(),
  /** The running agent was started with it. */
  isRunning: z.boolean(),
  /** The newest one: what is saved now. */
  isSaved: z.boolean(),
  rolledBackTo: z.number().int().nullable(),
});
export type GenerationView = z.infer<typeof generationView>;

export const historyInput = z.strictObject({
  workspaceId: workspaceIdText,
  /** Generations with a smaller number only. */
  before: z.number().int().optional(),
  limit: z.number().int().min(1).max(100).default(20),
});
/** Newest first. */
export const generationHistory = z.object({
  rows: z.array(generationView),
  hasMore: z.boolean(),
});
export type GenerationHistory = z.infer<typeof generationHistory>;

/** A value that differs. Texts are cut at 64 Ki characters; `null` on a side that has none. */
export const valueChange = z.object({
  name: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});
/** A file that differs. Both texts are null where they are no text, too long or no longer kept. */
export const fileChange = z.object({
  path: z.string(),
  change: z.enum(["added", "changed", "removed"]),
  before: z.string().nullable(),
  after: z.string().nullable(),
});
/** A secret that differs, by name alone. */
export const secretChange = z.object({
  key: z.string(),
  scope: z.enum(["workspace", "global"]),
  change: z.enum(["added", "changed", "removed"]),
});
export const stateChanges = z.object({
  settings: z.array(valueChange),
  files: z.array(fileChange),
  secrets: z.array(secretChange),
});
export type StateChanges = z.infer<typeof stateChanges>;

/** What going back to a generation would change now. */
export const rollBackPlan = z.object({
  settings: z.array(valueChange),
  files: z.array(fileChange),
  secrets: z.array(z.object({ key: z.string(), outcome: z.enum(SECRET_RETURNS) })),
  /** Nothing of it differs from what is saved now. */
  isEmpty: z.boolean(),
});
export type RollBackPlan = z.infer<typeof rollBackPlan>;

export const generationInput = z.strictObject({
  workspaceId: workspaceIdText,
  gen: z.number().int().min(1),
});
/** One generation, what it changed, and what a roll back to it would change now. */
export const generationDetail = z.object({
  generation: generationView,
  /** Against the generation before it; null where that one is no longer kept, or there is none. */
  changes: stateChanges.nullable(),
  /** The newest generation, on which `rollBack` is based. */
  savedGen: z.number().int(),
  rollBack: rollBackPlan,
});
export type GenerationDetail = z.infer<typeof generationDetail>;

export const rollBackInput = z.strictObject({
  workspaceId: workspaceIdText,
  gen: z.number().int().min(1),
  /** The newest generation that the person saw; another one by now is refused. */
  savedGen: z.number().int().min(1),
  /** Absent: as the workspace's policy says. */
  apply: z.enum(APPLY_POLICIES).optional(),
});
export type RollBackInput = z.infer<typeof rollBackInput>;
