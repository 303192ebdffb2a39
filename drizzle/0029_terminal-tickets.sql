CREATE TABLE "terminal_tickets" (
	"token_sha256" "bytea" PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"attempt_no" bigint NOT NULL,
	"session_sha256" "bytea",
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "terminal_tickets" ADD CONSTRAINT "terminal_tickets_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "terminal_tickets" ADD CONSTRAINT "terminal_tickets_session_sha256_sessions_token_sha256_fk" FOREIGN KEY ("session_sha256") REFERENCES "public"."sessions"("token_sha256") ON DELETE cascade ON UPDATE no action;