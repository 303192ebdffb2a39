CREATE TYPE "public"."activity_status" AS ENUM('ok', 'error', 'pending', 'queued');--> statement-breakpoint
CREATE TYPE "public"."activity_type" AS ENUM('a2a_send', 'a2a_receive', 'task_update', 'agent_log', 'skill_promotion', 'memory_write', 'error', 'delegation', 'cron_run', 'memory_write_global', 'lifecycle', 'change');--> statement-breakpoint
CREATE TYPE "public"."actor_kind" AS ENUM('member', 'workspace', 'platform', 'admin');--> statement-breakpoint
CREATE TYPE "public"."apply_policy" AS ENUM('settle', 'idle', 'hold');--> statement-breakpoint
CREATE TYPE "public"."attempt_outcome" AS ENUM('ready', 'superseded', 'boot_timeout', 'boot_failed', 'create_failed', 'aborted');--> statement-breakpoint
CREATE TYPE "public"."attempt_reason" AS ENUM('create', 'user', 'files', 'settings', 'secret', 'plugin', 'image', 'template', 'resume', 'wake', 'schedule', 'crash', 'oom', 'unhealthy', 'boot_retry', 'host_moved', 'platform_upgrade');--> statement-breakpoint
CREATE TYPE "public"."backend" AS ENUM('process', 'docker', 'external');--> statement-breakpoint
CREATE TYPE "public"."change_kind" AS ENUM('file', 'setting', 'secret', 'plugin', 'template', 'image');--> statement-breakpoint
CREATE TYPE "public"."delivery_mode" AS ENUM('push', 'poll');--> statement-breakpoint
CREATE TYPE "public"."event_type" AS ENUM('WORKSPACE_PROVISIONING', 'WORKSPACE_ONLINE', 'WORKSPACE_OFFLINE', 'WORKSPACE_DEGRADED', 'WORKSPACE_PROVISION_FAILED', 'WORKSPACE_AWAITING_AGENT', 'WORKSPACE_PAUSED', 'WORKSPACE_HIBERNATED', 'WORKSPACE_REMOVED', 'WORKSPACE_UPDATED', 'WORKSPACE_STAGE', 'WORKSPACE_PENDING_CHANGE', 'WORKSPACE_AUTO_RESTART_FIRED', 'WORKSPACE_RESTARTING_MID_WRITE', 'WORKSPACE_HEARTBEAT', 'AGENT_CARD_UPDATED', 'TASK_UPDATED', 'ACTIVITY_LOGGED', 'AGENT_MESSAGE', 'A2A_RESPONSE', 'DELEGATION_SENT', 'DELEGATION_STATUS', 'DELEGATION_COMPLETE', 'DELEGATION_FAILED', 'LAYOUT_UPDATED');--> statement-breakpoint
CREATE TYPE "public"."health" AS ENUM('ok', 'degraded', 'suspected_down');--> statement-breakpoint
CREATE TYPE "public"."intent" AS ENUM('run', 'paused', 'hibernated', 'deleted');--> statement-breakpoint
CREATE TYPE "public"."member_role" AS ENUM('owner', 'editor', 'viewer');--> statement-breakpoint
CREATE TYPE "public"."observation_kind" AS ENUM('exited', 'gone', 'unreachable', 'missed_heartbeat');--> statement-breakpoint
CREATE TYPE "public"."phase" AS ENUM('NEW', 'STOPPING', 'CREATING', 'BOOTING', 'READY', 'BACKOFF', 'FAILED', 'PAUSED', 'DELETING', 'DELETED');--> statement-breakpoint
CREATE TYPE "public"."queue_status" AS ENUM('queued', 'dispatched', 'completed', 'dropped', 'failed');--> statement-breakpoint
CREATE TYPE "public"."runtime" AS ENUM('demo', 'claude-code', 'external');--> statement-breakpoint
CREATE TYPE "public"."settle_stream" AS ENUM('files', 'settings');--> statement-breakpoint
CREATE TYPE "public"."stage" AS ENUM('queued', 'stopping', 'preparing', 'creating', 'booting', 'first_heartbeat');--> statement-breakpoint
CREATE TYPE "public"."token_kind" AS ENUM('attempt', 'external', 'minted');--> statement-breakpoint
CREATE TYPE "public"."workspace_access" AS ENUM('none', 'read_only', 'read_write');--> statement-breakpoint
CREATE TYPE "public"."workspace_status" AS ENUM('provisioning', 'online', 'degraded', 'offline', 'failed', 'paused', 'hibernating', 'hibernated', 'awaiting_agent', 'removed');--> statement-breakpoint
CREATE TABLE "attempts" (
	"workspace_id" uuid NOT NULL,
	"no" bigint NOT NULL,
	"reason" "attempt_reason" NOT NULL,
	"detail" jsonb NOT NULL,
	"actor_kind" "actor_kind" NOT NULL,
	"actor_id" text,
	"actor_name" text NOT NULL,
	"lease_epoch" bigint NOT NULL,
	"create_token" uuid DEFAULT gen_random_uuid() NOT NULL,
	"snap_gen" bigint,
	"snap_force" bigint,
	"snap_digest" text,
	"snap_config" jsonb,
	"provider_ref" text,
	"provider_addr" text,
	"stage" "stage",
	"stages" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"expected_ms" integer,
	"registered_at" timestamp with time zone,
	"restart_context_at" timestamp with time zone,
	"outcome" "attempt_outcome",
	"failure" jsonb,
	"log_excerpt" text,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"ready_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	CONSTRAINT "attempts_workspace_id_no_pk" PRIMARY KEY("workspace_id","no"),
	CONSTRAINT "attempts_create_token_unique" UNIQUE("create_token"),
	CONSTRAINT "ended_with_outcome" CHECK (("attempts"."outcome" IS NULL) = ("attempts"."ready_at" IS NULL AND "attempts"."ended_at" IS NULL))
);
--> statement-breakpoint
CREATE TABLE "changes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"workspace_id" uuid NOT NULL,
	"gen" bigint NOT NULL,
	"kind" "change_kind" NOT NULL,
	"name" text NOT NULL,
	"actor_kind" "actor_kind" NOT NULL,
	"actor_id" text,
	"actor_name" text NOT NULL,
	"at" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "liveness" (
	"workspace_id" uuid PRIMARY KEY NOT NULL,
	"attempt_no" bigint,
	"last_heartbeat_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"error_rate" double precision DEFAULT 0 NOT NULL,
	"sample_error" text DEFAULT '' NOT NULL,
	"active_tasks" integer DEFAULT 0 NOT NULL,
	"uptime_seconds" integer DEFAULT 0 NOT NULL,
	"current_task" text DEFAULT '' NOT NULL,
	"current_task_at" timestamp with time zone,
	"runtime_state" text DEFAULT '' NOT NULL,
	"capabilities" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"idle_timeout_seconds" integer
);
--> statement-breakpoint
CREATE TABLE "machines" (
	"provider_id" text PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"backend" "backend" NOT NULL,
	"first_attempt" bigint NOT NULL,
	"current_attempt" bigint NOT NULL,
	"fence" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"removing_at" timestamp with time zone,
	"removed_at" timestamp with time zone,
	CONSTRAINT "machine_attempts_ordered" CHECK ("machines"."first_attempt" <= "machines"."current_attempt")
);
--> statement-breakpoint
CREATE TABLE "observations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "observations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"workspace_id" uuid NOT NULL,
	"attempt_no" bigint NOT NULL,
	"kind" "observation_kind" NOT NULL,
	"detail" text,
	"at" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workspace_tokens" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"attempt_no" bigint,
	"kind" "token_kind" NOT NULL,
	"token_sha256" "bytea" NOT NULL,
	"prefix" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "workspace_tokens_token_sha256_unique" UNIQUE("token_sha256"),
	CONSTRAINT "token_is_digest" CHECK (octet_length("workspace_tokens"."token_sha256") = 32),
	CONSTRAINT "attempt_token_has_attempt" CHECK (("workspace_tokens"."kind" = 'attempt') = ("workspace_tokens"."attempt_no" IS NOT NULL))
);
--> statement-breakpoint
CREATE TABLE "workspaces" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"role" text,
	"tier" integer DEFAULT 3 NOT NULL,
	"runtime" "runtime" NOT NULL,
	"backend" "backend" NOT NULL,
	"template" text,
	"parent_id" uuid,
	"config" jsonb NOT NULL,
	"config_version" bigint DEFAULT 1 NOT NULL,
	"intent" "intent" DEFAULT 'run' NOT NULL,
	"intent_actor_name" text,
	"intent_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"apply_policy" "apply_policy" DEFAULT 'settle' NOT NULL,
	"phase" "phase" DEFAULT 'NEW' NOT NULL,
	"health" "health" DEFAULT 'ok' NOT NULL,
	"desired_gen" bigint DEFAULT 1 NOT NULL,
	"applied_gen" bigint DEFAULT 0 NOT NULL,
	"force_seq" bigint DEFAULT 0 NOT NULL,
	"applied_force" bigint DEFAULT 0 NOT NULL,
	"force_actor_kind" "actor_kind",
	"force_actor_id" text,
	"force_actor_name" text,
	"current_attempt" bigint DEFAULT 0 NOT NULL,
	"first_dirty_at" timestamp with time zone,
	"last_dirty_at" timestamp with time zone,
	"dirty_stream" "settle_stream",
	"dirty_is_batch" boolean DEFAULT false NOT NULL,
	"stream_restarts" integer DEFAULT 0 NOT NULL,
	"crash_count" integer DEFAULT 0 NOT NULL,
	"boot_failures" integer DEFAULT 0 NOT NULL,
	"failure" jsonb,
	"ready_at" timestamp with time zone,
	"next_action_at" timestamp with time zone,
	"deadline_at" timestamp with time zone,
	"lease_owner" text,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	"lease_until" timestamp with time zone,
	"agent_card" jsonb,
	"advertised_url" text DEFAULT '' NOT NULL,
	"delivery_mode" "delivery_mode" DEFAULT 'push' NOT NULL,
	"inbound_secret" "bytea",
	"max_concurrent_tasks" integer DEFAULT 1 NOT NULL,
	"budget_limit" integer,
	"monthly_spend" integer DEFAULT 0 NOT NULL,
	"workspace_dir" text,
	"workspace_access" "workspace_access" DEFAULT 'none' NOT NULL,
	"last_outbound_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "applied_gen_within_desired" CHECK ("workspaces"."applied_gen" <= "workspaces"."desired_gen"),
	CONSTRAINT "applied_force_within_seq" CHECK ("workspaces"."applied_force" <= "workspaces"."force_seq"),
	CONSTRAINT "open_phase_has_deadline" CHECK ("workspaces"."phase" NOT IN ('STOPPING','CREATING','BOOTING','DELETING') OR "workspaces"."deadline_at" IS NOT NULL),
	CONSTRAINT "deleted_by_intent" CHECK ("workspaces"."phase" <> 'DELETED' OR "workspaces"."intent" = 'deleted'),
	CONSTRAINT "not_own_parent" CHECK ("workspaces"."parent_id" IS NULL OR "workspaces"."parent_id" <> "workspaces"."id"),
	CONSTRAINT "name_not_empty" CHECK (length("workspaces"."name") BETWEEN 1 AND 255)
);
--> statement-breakpoint
CREATE TABLE "a2a_queue" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"caller_id" uuid,
	"priority" smallint DEFAULT 50 NOT NULL,
	"body" jsonb NOT NULL,
	"method" text NOT NULL,
	"idempotency_key" text,
	"status" "queue_status" DEFAULT 'queued' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"enqueued_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"dispatched_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"expires_at" timestamp with time zone,
	"last_error" text,
	"next_action_at" timestamp with time zone,
	"lease_owner" text,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	"lease_until" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "activity" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "activity_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"activity_type" "activity_type" NOT NULL,
	"source_id" uuid,
	"target_id" uuid,
	"method" text,
	"summary" text,
	"request_body" jsonb,
	"response_body" jsonb,
	"tool_trace" jsonb,
	"duration_ms" integer,
	"status" "activity_status" DEFAULT 'ok' NOT NULL,
	"error_detail" text,
	"message_id" text,
	"idempotency_key" text,
	"actor_name" text,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "activity_id_unique" UNIQUE("id")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"txid" bigint DEFAULT pg_current_xact_id()::text::bigint NOT NULL,
	"event" "event_type" NOT NULL,
	"subject_id" uuid,
	"payload" jsonb NOT NULL,
	"at" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "global_secrets" (
	"key" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"record" "bytea" NOT NULL,
	"encryption_version" smallint DEFAULT 2 NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "global_secrets_key_pk" PRIMARY KEY("key"),
	CONSTRAINT "global_secret_version_known" CHECK ("global_secrets"."encryption_version" IN (0, 1, 2))
);
--> statement-breakpoint
CREATE TABLE "layouts" (
	"workspace_id" uuid PRIMARY KEY NOT NULL,
	"x" double precision DEFAULT 0 NOT NULL,
	"y" double precision DEFAULT 0 NOT NULL,
	"collapsed" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "managed_files" (
	"workspace_id" uuid NOT NULL,
	"path" text NOT NULL,
	"content" "bytea" NOT NULL,
	"sha256" text NOT NULL,
	"size" integer NOT NULL,
	"gen" bigint NOT NULL,
	"base_sha256" text,
	"updated_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"updated_by" text NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "managed_files_workspace_id_path_pk" PRIMARY KEY("workspace_id","path"),
	CONSTRAINT "managed_file_size" CHECK ("managed_files"."size" <= 1048576)
);
--> statement-breakpoint
CREATE TABLE "members" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"role" "member_role" NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"removed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"token_sha256" "bytea" PRIMARY KEY NOT NULL,
	"member_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sign_in_links" (
	"token_sha256" "bytea" PRIMARY KEY NOT NULL,
	"member_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "viewport" (
	"id" smallint PRIMARY KEY DEFAULT 1 NOT NULL,
	"x" double precision DEFAULT 0 NOT NULL,
	"y" double precision DEFAULT 0 NOT NULL,
	"zoom" double precision DEFAULT 1 NOT NULL,
	CONSTRAINT "one_viewport" CHECK ("viewport"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"id" text PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"info" jsonb NOT NULL,
	"started_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workspace_secrets" (
	"workspace_id" uuid NOT NULL,
	"key" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"record" "bytea" NOT NULL,
	"encryption_version" smallint DEFAULT 2 NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "workspace_secrets_workspace_id_key_pk" PRIMARY KEY("workspace_id","key"),
	CONSTRAINT "workspace_secret_version_known" CHECK ("workspace_secrets"."encryption_version" IN (0, 1, 2))
);
--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "changes" ADD CONSTRAINT "changes_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "liveness" ADD CONSTRAINT "liveness_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "machines" ADD CONSTRAINT "machines_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "observations" ADD CONSTRAINT "observations_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspace_tokens" ADD CONSTRAINT "workspace_tokens_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspaces" ADD CONSTRAINT "workspaces_parent_id_workspaces_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."workspaces"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "a2a_queue" ADD CONSTRAINT "a2a_queue_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "activity" ADD CONSTRAINT "activity_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "layouts" ADD CONSTRAINT "layouts_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "managed_files" ADD CONSTRAINT "managed_files_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_member_id_members_id_fk" FOREIGN KEY ("member_id") REFERENCES "public"."members"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sign_in_links" ADD CONSTRAINT "sign_in_links_member_id_members_id_fk" FOREIGN KEY ("member_id") REFERENCES "public"."members"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspace_secrets" ADD CONSTRAINT "workspace_secrets_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "one_open_attempt" ON "attempts" USING btree ("workspace_id") WHERE "attempts"."outcome" IS NULL;--> statement-breakpoint
CREATE INDEX "changes_gen" ON "changes" USING btree ("workspace_id","gen");--> statement-breakpoint
CREATE INDEX "machines_workspace" ON "machines" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "observations_attempt" ON "observations" USING btree ("workspace_id","attempt_no","at");--> statement-breakpoint
CREATE UNIQUE INDEX "one_live_attempt_token" ON "workspace_tokens" USING btree ("workspace_id","attempt_no") WHERE "workspace_tokens"."kind" = 'attempt' AND "workspace_tokens"."revoked_at" IS NULL;--> statement-breakpoint
CREATE INDEX "workspaces_due" ON "workspaces" USING btree ("next_action_at") WHERE "workspaces"."next_action_at" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "workspaces_parent" ON "workspaces" USING btree ("parent_id");--> statement-breakpoint
CREATE UNIQUE INDEX "a2a_queue_key" ON "a2a_queue" USING btree ("workspace_id","idempotency_key") WHERE "a2a_queue"."status" IN ('queued','dispatched') AND "a2a_queue"."idempotency_key" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "a2a_queue_due" ON "a2a_queue" USING btree ("next_action_at") WHERE "a2a_queue"."next_action_at" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "activity_by_type" ON "activity" USING btree ("workspace_id","activity_type","seq" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "activity_created" ON "activity" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "activity_message" ON "activity" USING btree ("workspace_id","message_id") WHERE "activity"."message_id" IS NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "activity_idempotency" ON "activity" USING btree ("workspace_id","idempotency_key") WHERE "activity"."idempotency_key" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "events_cursor" ON "events" USING btree ("txid","id");--> statement-breakpoint
CREATE INDEX "events_at" ON "events" USING btree ("at");