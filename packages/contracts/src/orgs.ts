import {
  ORG_IMPORT_STATES,
  ORG_NODE_ACTIONS,
  ORG_NODE_OUTCOMES,
  ORG_NODE_STARTS,
  WORKSPACE_STATUSES,
} from "@molecule/domain/sets";
import { z } from "zod";
import { workspaceIdText } from "./procedures.ts";
import { isoTime } from "./workspaces.ts";

/** Most files that are sent as JSON. */
const MAX_FILES = 2000;

/** Keys of which any one is enough. */
const keyNeed = z.array(z.string());
const coordinate = z.number().min(-1_000_000).max(1_000_000);

/** A team of the operator's folder. */
export const orgTemplateView = z.object({
  dir: z.string(),
  name: z.string(),
  description: z.string(),
  /** Agents in it, on every level. */
  workspaces: z.number().int(),
  requiredEnv: z.array(keyNeed),
  recommendedEnv: z.array(keyNeed),
  /** Why it cannot be used; null when it can. */
  broken: z.string().nullable(),
});
export type OrgTemplateView = z.infer<typeof orgTemplateView>;

/** A file of a folder: text, or bytes in base64. */
export const sentFile = z.union([
  z.string(),
  z.object({ base64: z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, "must be base64") }),
]);

/** Where a team comes from. */
const orgSource = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("dir"), dir: z.string().min(1).max(255) }),
  z.strictObject({ kind: z.literal("template"), template: z.record(z.string(), z.unknown()) }),
  z.strictObject({
    kind: z.literal("files"),
    files: z
      .record(z.string(), sentFile)
      .refine((files) => Object.keys(files).length <= MAX_FILES, `at most ${MAX_FILES} files`),
  }),
]);

export const previewOrgInput = z.strictObject({
  source: orgSource,
  /** Below which workspace; absent: at the top. */
  parentId: workspaceIdText.nullish(),
  /** Where the first agent at its top goes; a free place when either is absent. */
  x: coordinate.nullish(),
  y: coordinate.nullish(),
  /** Everything is made at rest, missing keys or not. */
  stage: z.boolean().optional(),
});
export type PreviewOrgInput = z.infer<typeof previewOrgInput>;
export const startOrgInput = previewOrgInput.extend({
  /** The caller's: the same again is answered with the same import. */
  importId: z.uuid().optional(),
});
export type StartOrgInput = z.infer<typeof startOrgInput>;

/** A workspace by its name path, such as `Lead / Coder`. */
const namedPath = z.object({ workspaceId: z.string(), path: z.string() });

/** What an import would do about one agent. */
export const orgPlanNode = z.object({
  /** Parents come before children. */
  position: z.number().int(),
  parent: z.number().int().nullable(),
  level: z.number().int(),
  name: z.string(),
  path: z.string(),
  role: z.string().nullable(),
  runtime: z.string(),
  tier: z.number().int(),
  model: z.string().nullable(),
  template: z.string().nullable(),
  action: z.enum(ORG_NODE_ACTIONS),
  /** Why it is left out, or who is alike: whole sentences. */
  note: z.string().nullable(),
  alike: z.array(namedPath),
  /** Of one that is there. */
  workspaceId: z.string().nullable(),
  /** For its own start, those of its template and model included. */
  needs: z.array(keyNeed),
  missing: z.array(keyNeed),
  starts: z.enum(ORG_NODE_STARTS),
  /** Names of the secrets that it brings along. */
  secrets: z.array(z.string()),
  files: z.number().int(),
  schedules: z.number().int(),
  memories: z.number().int(),
  channelsSkipped: z.number().int(),
  /** Relative to its parent; null: a free place is looked for. */
  x: z.number().nullable(),
  y: z.number().nullable(),
});

export const orgPreview = z.object({
  org: z.string(),
  description: z.string(),
  dir: z.string().nullable(),
  requiredEnv: z.array(keyNeed),
  recommendedEnv: z.array(keyNeed),
  /** What the import is refused for, unless it is staged. */
  missing: z.array(keyNeed),
  missingRecommended: z.array(keyNeed),
  counts: z.object({
    total: z.number().int(),
    create: z.number().int(),
    exists: z.number().int(),
    leftOut: z.number().int(),
    startNow: z.number().int(),
    /** Lacks a key, is staged, or runs elsewhere. */
    startLater: z.number().int(),
  }),
  /** How many start at once. */
  atOnce: z.number().int(),
  nodes: z.array(orgPlanNode),
  /** Stand in the team and not in its description: left alone. */
  extra: z.array(namedPath),
  notes: z.array(z.string()),
});
export type OrgPreview = z.infer<typeof orgPreview>;

/** An import without its agents. */
export const orgImportHead = z.object({
  id: z.string(),
  org: z.string(),
  actor: z.string(),
  staged: z.boolean(),
  createdAt: isoTime,
  endedAt: isoTime.nullable(),
  state: z.enum(ORG_IMPORT_STATES),
  /** For a person. */
  sentence: z.string(),
  counts: z.object({
    total: z.number().int(),
    created: z.number().int(),
    exists: z.number().int(),
    leftOut: z.number().int(),
    failed: z.number().int(),
    notMade: z.number().int(),
    planned: z.number().int(),
    /** Of those it made: */
    online: z.number().int(),
    starting: z.number().int(),
    waiting: z.number().int(),
    failedStart: z.number().int(),
    /** Paused, asleep, elsewhere, or removed since. */
    resting: z.number().int(),
  }),
});
export type OrgImportHead = z.infer<typeof orgImportHead>;

export const orgImportView = orgImportHead.extend({
  nodes: z.array(
    z.object({
      position: z.number().int(),
      parent: z.number().int().nullable(),
      level: z.number().int(),
      name: z.string(),
      path: z.string(),
      outcome: z.enum(ORG_NODE_OUTCOMES),
      note: z.string().nullable(),
      workspaceId: z.string().nullable(),
      /** Of its workspace now; null where there is none. */
      status: z.enum(WORKSPACE_STATUSES).nullable(),
      /** Made, and its turn to start has not come. */
      isWaiting: z.boolean(),
      /** Keys it lacks, for a field to enter them. */
      missing: z.array(z.string()),
    }),
  ),
});
export type OrgImportView = z.infer<typeof orgImportView>;

export const readOrgImportInput = z.strictObject({ id: z.uuid() });
export const exportOrgInput = z.strictObject({
  /** With everything below it; null: the whole organisation. */
  rootId: workspaceIdText.nullable(),
});
export const orgExport = z.object({
  fileName: z.string(),
  contentBase64: z.string(),
  workspaces: z.number().int(),
  files: z.number().int(),
  /** Files in which a secret stood and was blanked. */
  blanked: z.array(z.string()),
});

/** Body of `POST /org/import`; `force` and everything else is ignored. Source: wire contract §11.2. */
export const importOrgBody = z.object({
  dir: z.string().max(255).nullish(),
  template: z.record(z.string(), z.unknown()).nullish(),
  files: z.record(z.string(), sentFile).nullish(),
  parent_id: z.string().nullish(),
  stage: z.boolean().nullish(),
  dry_run: z.boolean().nullish(),
  import_id: z.uuid().nullish(),
});
