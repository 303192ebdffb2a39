ALTER TABLE "liveness" ADD COLUMN "registered_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "liveness" ADD COLUMN "first_beat_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "liveness" ADD COLUMN "first_message_at" timestamp with time zone;--> statement-breakpoint
UPDATE "liveness" SET "first_beat_at" = "last_heartbeat_at";--> statement-breakpoint
UPDATE "liveness" l SET
	"registered_at" = COALESCE((SELECT min(e.at) FROM "events" e WHERE e.subject_id = w.id AND e.event = 'WORKSPACE_ONLINE'), l.last_heartbeat_at),
	"first_message_at" = (SELECT min(a.created_at) FROM "activity" a WHERE a.source_id = w.id
		OR (a.workspace_id = w.id AND a.activity_type = 'a2a_receive' AND a.status = 'ok' AND a.response_body IS NOT NULL))
FROM "workspaces" w WHERE w.id = l.workspace_id AND w.backend = 'external';
