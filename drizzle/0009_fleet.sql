CREATE TYPE "public"."fleet_item_state" AS ENUM('waiting', 'asked', 'back', 'lost', 'skipped');--> statement-breakpoint
CREATE TYPE "public"."fleet_job_kind" AS ENUM('image_refresh', 'redeploy');--> statement-breakpoint
CREATE TYPE "public"."fleet_job_status" AS ENUM('running', 'done', 'failed', 'stopped');--> statement-breakpoint
ALTER TYPE "public"."attempt_reason" ADD VALUE 'redeploy' BEFORE 'template';--> statement-breakpoint
ALTER TYPE "public"."change_kind" ADD VALUE 'redeploy';--> statement-breakpoint
CREATE TABLE "fleet_job_items" (
	"job_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"workspace_id" uuid NOT NULL,
	"state" "fleet_item_state" DEFAULT 'waiting' NOT NULL,
	"gen" bigint,
	"note" text,
	CONSTRAINT "fleet_job_items_job_id_position_pk" PRIMARY KEY("job_id","position")
);
--> statement-breakpoint
CREATE TABLE "fleet_jobs" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"kind" "fleet_job_kind" NOT NULL,
	"status" "fleet_job_status" DEFAULT 'running' NOT NULL,
	"runtime" "runtime",
	"recreate" boolean DEFAULT true NOT NULL,
	"batch" integer DEFAULT 1 NOT NULL,
	"batch_timeout_ms" integer,
	"deadline_at" timestamp with time zone,
	"progress" text DEFAULT '' NOT NULL,
	"result" jsonb,
	"failure" jsonb,
	"actor_kind" "actor_kind" NOT NULL,
	"actor_id" text,
	"actor_name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"ended_at" timestamp with time zone,
	"next_action_at" timestamp with time zone,
	"lease_owner" text,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	"lease_until" timestamp with time zone,
	CONSTRAINT "fleet_job_ended" CHECK (("fleet_jobs"."status" = 'running') = ("fleet_jobs"."ended_at" IS NULL)),
	CONSTRAINT "fleet_job_batch" CHECK ("fleet_jobs"."batch" >= 1)
);
--> statement-breakpoint
CREATE TABLE "superseded_images" (
	"image_id" text PRIMARY KEY NOT NULL,
	"since" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "watched_images" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"reference" text NOT NULL,
	"runtime" "runtime" NOT NULL,
	"digest" text,
	"checked_at" timestamp with time zone,
	"changed_at" timestamp with time zone,
	"next_action_at" timestamp with time zone,
	"lease_owner" text,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	"lease_until" timestamp with time zone,
	CONSTRAINT "watched_images_reference_unique" UNIQUE("reference")
);
--> statement-breakpoint
ALTER TABLE "fleet_job_items" ADD CONSTRAINT "fleet_job_items_job_id_fleet_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."fleet_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fleet_job_items" ADD CONSTRAINT "fleet_job_items_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "fleet_job_item_once" ON "fleet_job_items" USING btree ("job_id","workspace_id");--> statement-breakpoint
CREATE INDEX "fleet_job_items_workspace" ON "fleet_job_items" USING btree ("workspace_id");--> statement-breakpoint
CREATE UNIQUE INDEX "one_running_fleet_job" ON "fleet_jobs" USING btree ("kind") WHERE "fleet_jobs"."status" = 'running';--> statement-breakpoint
CREATE INDEX "fleet_jobs_due" ON "fleet_jobs" USING btree ("next_action_at") WHERE "fleet_jobs"."next_action_at" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "watched_images_due" ON "watched_images" USING btree ("next_action_at") WHERE "watched_images"."next_action_at" IS NOT NULL;