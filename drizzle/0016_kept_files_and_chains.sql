CREATE TABLE "kept_file_chunks" (
	"file_id" uuid NOT NULL,
	"no" integer NOT NULL,
	"bytes" "bytea" NOT NULL,
	CONSTRAINT "kept_file_chunks_file_id_no_pk" PRIMARY KEY("file_id","no")
);
--> statement-breakpoint
CREATE TABLE "kept_files" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"name" text NOT NULL,
	"mime_type" text NOT NULL,
	"size" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"kept_at" timestamp with time zone,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "a2a_queue" ADD COLUMN "chain" uuid[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "a2a_queue" ADD COLUMN "is_inbox" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "kept_file_chunks" ADD CONSTRAINT "kept_file_chunks_file_id_kept_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."kept_files"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "kept_files" ADD CONSTRAINT "kept_files_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "kept_files_workspace" ON "kept_files" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "kept_files_expiry" ON "kept_files" USING btree ("expires_at");