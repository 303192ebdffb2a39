import type { PublicFailure } from "@molecule/domain/errors";
import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { counter, instant, now } from "./columns.ts";
import { actorKind, fleetItemState, fleetJobKind, fleetJobStatus, runtime } from "./enums.ts";
import type { RefreshResult } from "./payloads.ts";
import { workspaces } from "./workspaces.ts";

const lease = {
  nextActionAt: instant("next_action_at"),
  leaseOwner: text("lease_owner"),
  leaseEpoch: counter("lease_epoch").notNull().default(0),
  leaseUntil: instant("lease_until"),
};

/** Work over many workspaces that somebody asked for. Whoever holds the lease goes on with it. */
export const fleetJobs = pgTable(
  "fleet_jobs",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    kind: fleetJobKind("kind").notNull(),
    status: fleetJobStatus("status").notNull().default("running"),
    /** Of this runtime only; absent: of every one. */
    runtime: runtime("runtime"),
    /** A refresh of the images also has workspaces on an older one start again. */
    recreate: boolean("recreate").notNull().default(true),
    /** Workspaces of a redeployment that may be away at the same time. */
    batch: integer("batch").notNull().default(1),
    /** Time that a batch has to come back, in ms; absent: the worker's own. */
    batchTimeoutMs: integer("batch_timeout_ms"),
    /** When the batch under way has to be back. */
    deadlineAt: instant("deadline_at"),
    /** What is being done, as a person reads it. */
    progress: text("progress").notNull().default(""),
    result: jsonb("result").$type<RefreshResult>(),
    failure: jsonb("failure").$type<PublicFailure>(),
    actorKind: actorKind("actor_kind").notNull(),
    actorId: text("actor_id"),
    actorName: text("actor_name").notNull(),
    createdAt: instant("created_at").notNull().default(now),
    endedAt: instant("ended_at"),
    ...lease,
  },
  (t) => [
    uniqueIndex("one_running_fleet_job").on(t.kind).where(sql`${t.status} = 'running'`),
    index("fleet_jobs_due").on(t.nextActionAt).where(sql`${t.nextActionAt} IS NOT NULL`),
    check("fleet_job_ended", sql`(${t.status} = 'running') = (${t.endedAt} IS NULL)`),
    check("fleet_job_batch", sql`${t.batch} >= 1`),
  ],
);

/** The way of a redeployment through the fleet: one row per workspace, in the order of the walk. */
export const fleetJobItems = pgTable(
  "fleet_job_items",
  {
    jobId: uuid("job_id")
      .notNull()
      .references(() => fleetJobs.id, { onDelete: "cascade" }),
    position: integer("position").notNull(),
    workspaceId: uuid("workspace_id")
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    state: fleetItemState("state").notNull().default("waiting"),
    /** The generation that carries the wish; absent before it was asked for. */
    gen: counter("gen"),
    /** Why it was left out or is lost, as a person reads it. */
    note: text("note"),
  },
  (t) => [
    primaryKey({ columns: [t.jobId, t.position] }),
    uniqueIndex("fleet_job_item_once").on(t.jobId, t.workspaceId),
    index("fleet_job_items_workspace").on(t.workspaceId),
  ],
);

/** What the registry said last of an image whose tag moves. */
export const watchedImages = pgTable(
  "watched_images",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    reference: text("reference").notNull().unique(),
    runtime: runtime("runtime").notNull(),
    /** Of the manifest; absent before the first look. Moves on when a refresh has followed it. */
    digest: text("digest"),
    checkedAt: instant("checked_at"),
    changedAt: instant("changed_at"),
    ...lease,
  },
  (t) => [index("watched_images_due").on(t.nextActionAt).where(sql`${t.nextActionAt} IS NOT NULL`)],
);

/** Images on the engine that nothing needs any more, and since when they are known as such. */
export const supersededImages = pgTable("superseded_images", {
  imageId: text("image_id").primaryKey(),
  since: instant("since").notNull().default(now),
});
