import { ACTIVITY_TYPES, BACKENDS, FILE_ROOTS, RUNTIMES } from "@molecule/domain/sets";
import { z } from "zod";
import { activityView, chatMessage, fileEntry, secretView } from "./panel.ts";
import { secretKey, secretText } from "./wire.ts";
import { attemptView, workspaceNode } from "./workspaces.ts";

/** Inputs and outputs of the tRPC procedures; everything here is strict, unlike the plain routes. */

/** A workspace id as text; anything that is not a UUID is refused. */
export const workspaceIdText = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/, "must be a UUID")
  .transform((id) => id.toLowerCase());

/** A position on the canvas in its own pixels. */
const coordinate = z.number().min(-1_000_000).max(1_000_000);
const displayName = z
  .string()
  .trim()
  .min(1)
  .max(255)
  .regex(/^[^{}[\]|>*&!\u0000-\u001f\u007f]*$/, "must be one line without { } [ ] | > * & or !");
const roleText = z
  .string()
  .trim()
  .max(1000)
  .regex(/^[^{}[\]|>*&!\u0000-\u001f\u007f]*$/, "must be one line without { } [ ] | > * & or !");

export const byId = z.strictObject({ id: workspaceIdText });
export const byWorkspace = z.strictObject({ workspaceId: workspaceIdText });

export const sessionView = z.object({
  member: z.object({ id: z.string().nullable(), name: z.string(), role: z.string() }),
  /** Absolute end of the session; null for the admin token. */
  expiresAt: z.string().nullable(),
});
export const doneResult = z.object({ done: z.literal(true) });

export const createWorkspaceInput = z.strictObject({
  name: displayName,
  role: roleText.nullish(),
  template: z.string().max(255).nullish(),
  runtime: z.enum(RUNTIMES).nullish(),
  model: z
    .string()
    .max(100)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line")
    .nullish(),
  /** Absent: as the model's name says, else the template. */
  provider: z
    .string()
    .max(100)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line")
    .nullish(),
  instructions: z.string().max(200_000).nullish(),
  tier: z.number().int().min(1).max(4).nullish(),
  parentId: workspaceIdText.nullish(),
  backend: z.enum(BACKENDS).nullish(),
  /** Where the card goes; a free place when either is absent. */
  x: coordinate.nullish(),
  y: coordinate.nullish(),
  secrets: z.record(secretKey, secretText.min(1)).nullish(),
});
export type CreateWorkspaceInput = z.infer<typeof createWorkspaceInput>;
/** How an external agent connects; shown once. Source: wire contract §3.4. */
export const connectionView = z.object({
  workspace_id: z.string(),
  platform_url: z.string(),
  /** Shown once, never again; empty where the snippets have a placeholder instead. */
  auth_token: z.string(),
  registry_endpoint: z.string(),
  heartbeat_endpoint: z.string(),
  curl_register_template: z.string(),
  /** Ours: registration, heartbeat, reading and answering, one command each. */
  curl_snippet: z.string(),
  python_snippet: z.string(),
  /** Ours. */
  typescript_snippet: z.string(),
  universal_mcp_snippet: z.string(),
});
export type ConnectionView = z.infer<typeof connectionView>;
export const createWorkspaceResult = z.object({
  id: z.string(),
  node: workspaceNode,
  /** For external workspaces. */
  connection: connectionView.optional(),
});

export const renameWorkspaceInput = z.strictObject({
  id: workspaceIdText,
  name: displayName,
  role: roleText.nullish(),
});
export const moveWorkspaceInput = z.strictObject({
  id: workspaceIdText,
  parentId: workspaceIdText.nullable(),
  x: coordinate,
  y: coordinate,
});
export const restartWorkspaceInput = z.strictObject({
  id: workspaceIdText,
  /** One per click: a repeated request with the same id is the same click. */
  clickId: z.string().regex(/^[\w-]{8,64}$/, "must be 8 to 64 letters, digits, _ or -"),
});
export const restartResult = z.object({
  /** Number of the attempt that carries the click; null where nothing restarts (external). */
  attempt: z.number().int().nullable(),
  /** For a person: what happens now. */
  message: z.string(),
});
export const stopTryingResult = z.object({
  /** False when no try was waited for: something else happens, and `message` says what. */
  stopped: z.boolean(),
  /** For a person. */
  message: z.string(),
});
/** How many workspaces a pause or resume reached, the named one included. */
export const countResult = z.object({ count: z.number().int() });
export const removalPreview = z.object({
  children: z.array(z.object({ id: z.string(), name: z.string() })),
  /** The workspace itself and everything under it. */
  count: z.number().int(),
  /** Sentences for the confirmation. */
  consequences: z.array(z.string()),
});
export const removeWorkspaceInput = z.strictObject({
  id: workspaceIdText,
  /** The `count` the person was shown; another number is refused as `confirmation_required`. */
  confirmedCount: z.number().int().min(1),
});
export const removeResult = z.object({ removed: z.number().int() });
export const attemptsInput = z.strictObject({
  id: workspaceIdText,
  /** Attempts with a smaller number only. */
  before: z.number().int().optional(),
  limit: z.number().int().min(1).max(100).default(20),
});
export const attemptList = z.array(attemptView);
export const nodeList = z.array(workspaceNode);

export const moveCardsInput = z.strictObject({
  cards: z
    .array(
      z.strictObject({
        id: workspaceIdText,
        x: coordinate,
        y: coordinate,
        collapsed: z.boolean().optional(),
      }),
    )
    .min(1)
    .max(1000),
});
export const viewportInput = z.strictObject({
  x: z.number().min(-10_000_000).max(10_000_000),
  y: z.number().min(-10_000_000).max(10_000_000),
  zoom: z.number().min(0.01).max(10),
});

export const chatHistoryInput = z.strictObject({
  workspaceId: workspaceIdText,
  /** `seq` of the oldest message at hand; older ones are returned. */
  before: z.number().int().optional(),
  limit: z.number().int().min(1).max(200).default(50),
});
/** Oldest first. */
export const chatHistory = z.object({ messages: z.array(chatMessage), hasMore: z.boolean() });
export const chatRetryInput = z.strictObject({ activityId: z.uuid() });
export const chatCancelInput = z.strictObject({
  workspaceId: workspaceIdText,
  taskId: z.string().max(256).optional(),
});
export const cancelResult = z.object({ cancelled: z.boolean() });

export const activityListInput = z.strictObject({
  workspaceId: workspaceIdText.optional(),
  before: z.number().int().optional(),
  types: z.array(z.enum(ACTIVITY_TYPES)).max(ACTIVITY_TYPES.length).optional(),
  /** Only what went wrong: errors, and everything that ended as one. */
  onlyFailed: z.boolean().optional(),
  limit: z.number().int().min(1).max(200).default(50),
});
/** Newest first. */
export const activityList = z.object({ rows: z.array(activityView), hasMore: z.boolean() });

const fileTarget = { workspaceId: workspaceIdText, root: z.enum(FILE_ROOTS) };
export const fileListInput = z.strictObject({
  ...fileTarget,
  /** Folder relative to the root; empty for the root itself. */
  path: z.string().max(512).default(""),
  depth: z.number().int().min(1).max(5).default(1),
});
export const fileList = z.object({ entries: z.array(fileEntry), truncated: z.boolean() });
export const filePathInput = z.strictObject({ ...fileTarget, path: z.string().max(512) });
export const fileWriteInput = z.strictObject({
  ...fileTarget,
  path: z.string().max(512),
  content: z.string().max(1_048_576),
  /** Hash the edit was based on; null for a new file. */
  baseSha256: z.string().max(64).nullable(),
});
export const fileWriteResult = z.object({
  sha256: z.string(),
  /** A managed file changed, so one restart follows. */
  willRestart: z.boolean(),
});

export const secretList = z.array(secretView);
export const putSecretInput = z.strictObject({
  key: secretKey,
  value: secretText.min(1),
});
export const removeSecretInput = z.strictObject({ key: secretKey });
/** How many workspaces restart because of it. */
export const affectedResult = z.object({ affected: z.number().int() });

export const cardView = z.object({
  card: z.record(z.string(), z.unknown()).nullable(),
  url: z.string(),
  deliveryMode: z.string(),
  lastHeartbeatAt: z.string().nullable(),
});
export const peerView = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string().nullable(),
  status: z.string(),
  relation: z.enum(["sibling", "child", "parent"]),
});
export const peerList = z.array(peerView);

export const tokenView = z.object({
  id: z.string(),
  kind: z.string(),
  prefix: z.string(),
  attemptNo: z.number().int().nullable(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
export const tokenList = z.array(tokenView);
/** `token` is shown once, never again. */
export const mintedToken = tokenView.extend({ token: z.string() });
export const revokeTokenInput = z.strictObject({ workspaceId: workspaceIdText, id: z.uuid() });

/** The part of a failed call that a client reads: `error.data.problem`. */
export const problemSchema = z.object({
  code: z.string(),
  /** A sentence for a person. */
  error: z.string(),
  next: z.string().optional(),
  request_id: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
