import { MAX_MEMORY_CHARS } from "@molecule/domain/memory";
import { MEMORY_SCOPES } from "@molecule/domain/sets";
import { z } from "zod";

const oneLine = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line without control characters");

/** A text that says something; an empty one counts as missing. Source: wire contract §1. */
const content = z.string().max(MAX_MEMORY_CHARS).regex(/\S/, "must say something");
const namespace = oneLine(255);

/** Body of `POST /workspaces/:id/memories`. Source: wire contract §20. */
export const createMemoryBody = z.object({
  content,
  scope: z.enum(MEMORY_SCOPES),
  namespace: namespace.nullish(),
});

/** One of the `initial_memories` of a create. Source: wire contract §3.4. */
export const initialMemory = z.object({
  content: z.string().regex(/\S/, "must say something"),
  scope: z.enum(MEMORY_SCOPES).nullish(),
  namespace: namespace.nullish(),
});

/** A name that a value is kept under. */
export const MAX_KEY_CHARS = 255;
/** Ten years. */
const MAX_TTL_SECONDS = 315_360_000;

/** Body of `POST /workspaces/:id/memory`; any JSON is a value, null too. Source: wire contract §20. */
export const putMemoryKeyBody = z.object({
  key: oneLine(MAX_KEY_CHARS).min(1),
  value: z.unknown().optional(),
  /** 0: it stays. */
  ttl_seconds: z.number().int().min(0).max(MAX_TTL_SECONDS).nullish(),
  /** 0: there must be none. */
  if_match_version: z.number().int().min(0).max(2_147_483_647).nullish(),
});

/** Body of `POST /workspaces/:id/checkpoints`; every other field is the agent's own. */
export const createCheckpointBody = z.looseObject({
  /** Absent: of no named workflow. */
  workflow_id: z.string().max(512).nullish(),
});

/** Body of `POST /instructions`. */
export const createInstructionBody = z.object({
  title: oneLine(255).nullish(),
  content: z.string().max(20_000).regex(/\S/, "must say something"),
  /** Absent: for everybody. */
  workspace_id: z.string().nullish(),
  /** Higher ones are told first. */
  priority: z.number().int().min(-1000).max(1000).nullish(),
  enabled: z.boolean().nullish(),
});

/** Body of `PATCH /instructions/:id`; absent means unchanged. */
export const patchInstructionBody = createInstructionBody
  .omit({ workspace_id: true })
  .extend({ content: createInstructionBody.shape.content.nullish() });

/** A memory as a runtime reads it. Source: wire contract §20. */
export const memoryRow = z.object({
  id: z.string(),
  workspace_id: z.string(),
  content: z.string(),
  scope: z.string(),
  namespace: z.string(),
  created_at: z.string(),
  similarity_score: z.number().nullish(),
});
export type MemoryView = z.infer<typeof memoryRow>;
