CREATE TYPE "public"."org_import_state" AS ENUM('making', 'starting', 'done', 'stopped');--> statement-breakpoint
CREATE TYPE "public"."org_node_outcome" AS ENUM('planned', 'created', 'exists', 'left_out', 'failed', 'not_made');--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'ORG_IMPORT_UPDATED';--> statement-breakpoint
CREATE TABLE "org_import_nodes" (
	"import_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"parent" integer,
	"level" integer NOT NULL,
	"name" text NOT NULL,
	"path" text NOT NULL,
	"outcome" "org_node_outcome" NOT NULL,
	"note" text,
	"workspace_id" uuid,
	"released_at" timestamp with time zone,
	CONSTRAINT "org_import_nodes_import_id_position_pk" PRIMARY KEY("import_id","position")
);
--> statement-breakpoint
CREATE TABLE "org_imports" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"org" text NOT NULL,
	"state" "org_import_state" DEFAULT 'making' NOT NULL,
	"staged" boolean DEFAULT false NOT NULL,
	"actor_kind" "actor_kind" NOT NULL,
	"actor_id" text,
	"actor_name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"beat_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"broken_off_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	CONSTRAINT "org_import_ended" CHECK (("org_imports"."state" IN ('done', 'stopped')) = ("org_imports"."ended_at" IS NOT NULL))
);
--> statement-breakpoint
ALTER TABLE "org_import_nodes" ADD CONSTRAINT "org_import_nodes_import_id_org_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."org_imports"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "org_import_nodes" ADD CONSTRAINT "org_import_nodes_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "org_import_nodes_workspace" ON "org_import_nodes" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "org_imports_open" ON "org_imports" USING btree ("created_at") WHERE "org_imports"."ended_at" IS NULL;