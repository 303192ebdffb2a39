CREATE TYPE "public"."approval_state" AS ENUM('pending', 'approved', 'denied');--> statement-breakpoint
CREATE TYPE "public"."memory_scope" AS ENUM('LOCAL', 'TEAM', 'GLOBAL');--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'APPROVAL_REQUESTED';--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'APPROVAL_APPROVED';--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'APPROVAL_DENIED';--> statement-breakpoint
CREATE TABLE "approvals" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"action" text NOT NULL,
	"reason" text NOT NULL,
	"task_id" text,
	"context" text,
	"state" "approval_state" DEFAULT 'pending' NOT NULL,
	"decided_by" text,
	"decided_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "approval_decided" CHECK (("approvals"."state" = 'pending') = ("approvals"."decided_at" IS NULL))
);
--> statement-breakpoint
CREATE TABLE "instructions" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid,
	"title" text DEFAULT '' NOT NULL,
	"content" text NOT NULL,
	"priority" integer DEFAULT 0 NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "memories" (
	"seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "memories_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"scope" "memory_scope" NOT NULL,
	"namespace" text NOT NULL,
	"content" text NOT NULL,
	"content_sha256" "bytea" NOT NULL,
	"words" "tsvector" NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "memories_id_unique" UNIQUE("id")
);
--> statement-breakpoint
CREATE TABLE "memory_keys" (
	"workspace_id" uuid NOT NULL,
	"key" text NOT NULL,
	"value" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"expires_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "memory_keys_workspace_id_key_pk" PRIMARY KEY("workspace_id","key"),
	CONSTRAINT "memory_key_version_positive" CHECK ("memory_keys"."version" > 0)
);
--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "instructions" ADD CONSTRAINT "instructions_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memories" ADD CONSTRAINT "memories_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memory_keys" ADD CONSTRAINT "memory_keys_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "approvals_newest" ON "approvals" USING btree ("workspace_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "approvals_pending" ON "approvals" USING btree ("expires_at") WHERE "approvals"."state" = 'pending';--> statement-breakpoint
CREATE INDEX "instructions_workspace" ON "instructions" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "memories_newest" ON "memories" USING btree ("workspace_id","scope","seq" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "memory_once" ON "memories" USING btree ("workspace_id","scope","namespace","content_sha256");--> statement-breakpoint
CREATE INDEX "memories_words" ON "memories" USING gin ("words");--> statement-breakpoint
CREATE INDEX "memory_keys_expiry" ON "memory_keys" USING btree ("expires_at") WHERE "memory_keys"."expires_at" IS NOT NULL;