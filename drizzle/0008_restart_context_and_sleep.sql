ALTER TABLE "attempts" ADD COLUMN "snap_env_keys" text[];--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "hibernation_idle_minutes" integer;--> statement-breakpoint
CREATE INDEX "attempts_ready" ON "attempts" USING btree ("ready_at") WHERE "attempts"."outcome" = 'ready';--> statement-breakpoint
ALTER TABLE "workspaces" ADD CONSTRAINT "hibernation_idle_positive" CHECK ("workspaces"."hibernation_idle_minutes" IS NULL OR "workspaces"."hibernation_idle_minutes" > 0);