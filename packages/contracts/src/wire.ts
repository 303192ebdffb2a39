import { DELIVERY_MODES, POSTABLE_ACTIVITY_TYPES, WORKSPACE_ACCESSES } from "@molecule/domain/sets";
import { z } from "zod";
import { initialMemory } from "./memory.ts";

/**
 * Bodies of the plain HTTP routes. Unknown keys are stripped, never refused: runtimes send extra
 * ones. Source: wire contract, by section.
 */

/** §1: an empty string counts as missing. */
const requiredText = z.string().min(1);
const oneLine = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line without control characters");
/** §3.4: characters that would be YAML syntax. */
const plainName = (max: number) =>
  oneLine(max).regex(/^[^{}[\]|>*&!]*$/, "must not contain { } [ ] | > * & or !");

/** §3.4 */
export const createWorkspaceBody = z.object({
  name: plainName(255).min(1),
  role: plainName(1000).nullish(),
  template: z.string().max(255).nullish(),
  tier: z.number().int().min(0).max(4).nullish(),
  model: oneLine(100).nullish(),
  runtime: z.string().max(100).nullish(),
  external: z.boolean().nullish(),
  url: z.string().max(2048).nullish(),
  workspace_dir: z.string().max(1024).nullish(),
  workspace_access: z.enum(WORKSPACE_ACCESSES).nullish(),
  parent_id: z.string().nullish(),
  /** Cents, as far as the column holds them. */
  budget_limit: z.number().int().min(0).max(2_147_483_647).nullish(),
  secrets: z.record(z.string(), z.string()).nullish(),
  max_concurrent_tasks: z.number().int().max(1000).nullish(),
  canvas: z.object({ x: z.number(), y: z.number() }).nullish(),
  initial_memories: z.array(initialMemory).max(1000).nullish(),
});
export type CreateWorkspaceBody = z.infer<typeof createWorkspaceBody>;

/** §3.3 PATCH */
export const patchWorkspaceBody = z.object({
  name: plainName(255).min(1).optional(),
  role: plainName(1000).nullable().optional(),
  tier: z.number().int().min(1).max(4).optional(),
  parent_id: z.string().nullable().optional(),
  runtime: z.string().max(100).optional(),
  workspace_dir: z.string().max(1024).nullable().optional(),
  /** Minutes without work after which it sleeps; null: never by itself. At most a year. */
  hibernation_idle_minutes: z.number().int().min(1).max(525_600).nullable().optional(),
  /** Less than 1 is 1, as at creation. */
  max_concurrent_tasks: z.number().int().max(1000).optional(),
  collapsed: z.boolean().optional(),
  x: z.number().optional(),
  y: z.number().optional(),
});
export type PatchWorkspaceBody = z.infer<typeof patchWorkspaceBody>;

/** §5.1 */
export const registerBody = z.object({
  id: requiredText,
  url: z.string().max(2048).default(""),
  agent_card: z.record(z.string(), z.unknown()),
  delivery_mode: z.enum(DELIVERY_MODES).optional(),
  /** Ours, with a boot token: the same again is answered again, when the first answer was lost. */
  exchange_id: z.string().min(16).max(200).optional(),
});
export type RegisterBody = z.infer<typeof registerBody>;

/** Ours: what a machine tells of itself on its first boot, with the token of its attempt. */
export const machineBody = z.object({
  workspace_id: requiredText,
  /** The content of `/etc/ssh/ssh_host_ed25519_key.pub`. */
  ssh_host_key: z.string().max(4_096),
});

/** §5.4; an absent field means unchanged (§25.16). */
export const heartbeatBody = z.object({
  workspace_id: requiredText,
  error_rate: z.number().min(0).max(1).optional(),
  sample_error: z.string().max(10_000).optional(),
  active_tasks: z.number().int().min(0).max(10_000).optional(),
  uptime_seconds: z.number().int().min(0).max(2_147_483_647).optional(),
  current_task: z.string().max(10_000).optional(),
  monthly_spend: z.number().optional(),
  runtime_state: z.string().max(100).optional(),
  runtime_metadata: z
    .object({
      capabilities: z.record(z.string(), z.boolean()).optional(),
      idle_timeout_seconds: z.number().int().optional(),
    })
    .optional(),
});
export type HeartbeatBody = z.infer<typeof heartbeatBody>;

/** §5.5 */
export const updateCardBody = z.object({
  workspace_id: requiredText,
  agent_card: z.record(z.string(), z.unknown()),
});

/** §8.1 */
export const attachment = z.object({
  uri: requiredText,
  name: requiredText,
  mimeType: z.string().optional(),
  size: z.number().int().optional(),
});
export const notifyBody = z.object({
  message: requiredText.max(200_000),
  attachments: z.array(attachment).max(64).optional(),
});
export type NotifyBody = z.infer<typeof notifyBody>;

/** §8.2 */
export const postActivityBody = z.object({
  activity_type: z.enum(POSTABLE_ACTIVITY_TYPES),
  method: z.string().max(256).optional(),
  summary: z.string().max(4096).optional(),
  error_detail: z.string().max(8192).optional(),
  source_id: z.string().optional(),
  target_id: z.string().optional(),
  status: z.enum(["ok", "error"]).default("ok"),
  duration_ms: z.number().int().min(0).optional(),
  request_body: z.unknown().optional(),
  response_body: z.unknown().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type PostActivityBody = z.infer<typeof postActivityBody>;

/** §9.4 */
export const putFileBody = z.object({ content: z.string() });
export const replaceFilesBody = z.object({ files: z.record(z.string(), z.string()) });

/** §10 */
export const putModelBody = z.object({ model: oneLine(100).trim() });
export const putProviderBody = z.object({ provider: oneLine(100).trim() });
export const secretKey = z.string().regex(/^[A-Z][A-Z0-9_]{0,127}$/, "must be like OPENAI_API_KEY");
/** Largest value of a secret, in bytes: an environment variable may be twice that. */
export const MAX_SECRET_BYTES = 65_536;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
/** What an environment variable can hold, unchanged; may be empty. */
export const secretText = z
  .string()
  .max(MAX_SECRET_BYTES)
  .refine(
    (text) =>
      !text.includes("\0") &&
      !LONE_SURROGATE.test(text) &&
      new TextEncoder().encode(text).length <= MAX_SECRET_BYTES,
    `must be text of at most ${MAX_SECRET_BYTES} bytes without a NUL character`,
  );
export const putSecretBody = z.object({ key: secretKey, value: secretText.min(1) });

/** §4.1 */
export const restartBody = z.object({
  template: z.string().max(255).nullish(),
  apply_template: z.boolean().nullish(),
  reset: z.boolean().nullish(),
  rebuild_config: z.boolean().nullish(),
});
export type RestartBody = z.infer<typeof restartBody>;
