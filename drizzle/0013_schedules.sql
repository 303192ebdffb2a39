CREATE TYPE "public"."schedule_cause" AS ENUM('due', 'catch_up', 'manual');--> statement-breakpoint
CREATE TYPE "public"."schedule_outcome" AS ENUM('ok', 'error', 'skipped', 'stale');--> statement-breakpoint
CREATE TYPE "public"."schedule_source" AS ENUM('template', 'runtime');--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'SCHEDULE_UPDATED';--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'CRON_EXECUTED';--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'CRON_SKIPPED';--> statement-breakpoint
CREATE TABLE "schedule_runs" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"schedule_id" uuid NOT NULL,
	"workspace_id" uuid NOT NULL,
	"activity_id" uuid,
	"message_id" text,
	"cause" "schedule_cause" NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"missed" integer DEFAULT 0 NOT NULL,
	"prompt" text NOT NULL,
	"actor_name" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"ended_at" timestamp with time zone,
	"outcome" "schedule_outcome",
	"note" text,
	"duration_ms" integer,
	CONSTRAINT "schedule_run_ended" CHECK (("schedule_runs"."outcome" IS NULL) = ("schedule_runs"."ended_at" IS NULL))
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"cron_expr" text NOT NULL,
	"timezone" text NOT NULL,
	"prompt" text NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"source" "schedule_source" NOT NULL,
	"run_count" integer DEFAULT 0 NOT NULL,
	"last_run_at" timestamp with time zone,
	"last_status" "schedule_outcome",
	"last_error" text,
	"empty_runs" integer DEFAULT 0 NOT NULL,
	"next_run_at" timestamp with time zone,
	"next_action_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "schedule_on_has_next_run" CHECK ("schedules"."enabled" = ("schedules"."next_run_at" IS NOT NULL)),
	CONSTRAINT "schedule_due_has_next_run" CHECK (("schedules"."next_action_at" IS NULL) = ("schedules"."next_run_at" IS NULL))
);
--> statement-breakpoint
ALTER TABLE "schedule_runs" ADD CONSTRAINT "schedule_runs_schedule_id_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_runs" ADD CONSTRAINT "schedule_runs_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "schedule_runs_newest" ON "schedule_runs" USING btree ("schedule_id","started_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "schedule_runs_workspace" ON "schedule_runs" USING btree ("workspace_id");--> statement-breakpoint
CREATE UNIQUE INDEX "schedule_run_activity" ON "schedule_runs" USING btree ("activity_id") WHERE "schedule_runs"."activity_id" IS NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "schedule_run_once" ON "schedule_runs" USING btree ("schedule_id","due_at") WHERE "schedule_runs"."cause" <> 'manual';--> statement-breakpoint
CREATE INDEX "schedules_workspace" ON "schedules" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "schedules_due" ON "schedules" USING btree ("next_action_at") WHERE "schedules"."next_action_at" IS NOT NULL;