CREATE TABLE "imported_template_files" (
	"template_id" text NOT NULL,
	"path" text NOT NULL,
	"content" "bytea" NOT NULL,
	CONSTRAINT "imported_template_files_template_id_path_pk" PRIMARY KEY("template_id","path"),
	CONSTRAINT "imported_template_file_size" CHECK (octet_length("imported_template_files"."content") <= 1048576)
);
--> statement-breakpoint
CREATE TABLE "imported_templates" (
	"id" text PRIMARY KEY NOT NULL,
	"imported_by" text NOT NULL,
	"imported_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "imported_template_id" CHECK ("imported_templates"."id" ~ '^[a-z0-9][a-z0-9-]{0,99}$')
);
--> statement-breakpoint
ALTER TABLE "imported_template_files" ADD CONSTRAINT "imported_template_files_template_id_imported_templates_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."imported_templates"("id") ON DELETE cascade ON UPDATE no action;