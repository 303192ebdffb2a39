ALTER TABLE "workspaces" ADD COLUMN "start_reason" "attempt_reason" DEFAULT 'resume' NOT NULL;--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "reset_wanted" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "rebuild_wanted" boolean DEFAULT false NOT NULL;