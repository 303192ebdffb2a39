CREATE TYPE "public"."restart_outcome" AS ENUM('began', 'merged', 'observed', 'skipped');--> statement-breakpoint
CREATE TYPE "public"."restart_source" AS ENUM('create', 'write', 'click', 'template', 'image', 'redeploy', 'resume', 'wake', 'schedule', 'dead_container', 'liveness', 'retry', 'platform');--> statement-breakpoint
CREATE TYPE "public"."tally_name" AS ENUM('restart_requests', 'attempts', 'sweep_actions');--> statement-breakpoint
CREATE TABLE "restart_requests" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "restart_requests_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"workspace_id" uuid NOT NULL,
	"attempt_no" bigint,
	"source" "restart_source" NOT NULL,
	"outcome" "restart_outcome" NOT NULL,
	"actor_kind" "actor_kind" NOT NULL,
	"actor_id" text,
	"actor_name" text NOT NULL,
	"sentence" text NOT NULL,
	"count" integer DEFAULT 1 NOT NULL,
	"first_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"last_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "restart_requests_fold" UNIQUE NULLS NOT DISTINCT("workspace_id","attempt_no","source","outcome","actor_kind","actor_name"),
	CONSTRAINT "restart_request_counts" CHECK ("restart_requests"."count" > 0)
);
--> statement-breakpoint
CREATE TABLE "tallies" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tallies_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" "tally_name" NOT NULL,
	"label" text NOT NULL,
	"outcome" text NOT NULL,
	"n" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "told_gen" bigint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "told_force" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "restart_requests" ADD CONSTRAINT "restart_requests_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "restart_requests_newest" ON "restart_requests" USING btree ("workspace_id","id");--> statement-breakpoint
CREATE INDEX "restart_requests_last" ON "restart_requests" USING btree ("last_at");--> statement-breakpoint
CREATE INDEX "events_status" ON "events" USING btree ("subject_id","at") WHERE "events"."event" IN ('WORKSPACE_PROVISIONING', 'WORKSPACE_ONLINE', 'WORKSPACE_OFFLINE', 'WORKSPACE_DEGRADED', 'WORKSPACE_PROVISION_FAILED', 'WORKSPACE_AWAITING_AGENT', 'WORKSPACE_PAUSED', 'WORKSPACE_HIBERNATED');--> statement-breakpoint
UPDATE workspaces SET told_gen = desired_gen, told_force = force_seq;--> statement-breakpoint
-- The metrics count what the ledger and the attempts say, whoever wrote it and whatever is purged later.
CREATE FUNCTION tally_restart_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tallies (name, label, outcome, n) VALUES ('restart_requests', NEW.source::text,
    NEW.outcome::text, CASE TG_OP WHEN 'UPDATE' THEN NEW.count - OLD.count ELSE NEW.count END);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER tally_restart_request AFTER INSERT OR UPDATE OF count ON restart_requests
FOR EACH ROW EXECUTE FUNCTION tally_restart_request();
--> statement-breakpoint
CREATE FUNCTION tally_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tallies (name, label, outcome, n) VALUES ('attempts', NEW.reason::text, NEW.outcome::text, 1);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER tally_attempt AFTER UPDATE OF outcome ON attempts FOR EACH ROW
WHEN (NEW.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome) EXECUTE FUNCTION tally_attempt();
