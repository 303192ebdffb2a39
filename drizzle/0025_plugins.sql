CREATE TABLE "plugin_package_files" (
	"package_id" uuid NOT NULL,
	"path" text NOT NULL,
	"content" "bytea" NOT NULL,
	CONSTRAINT "plugin_package_files_package_id_path_pk" PRIMARY KEY("package_id","path"),
	CONSTRAINT "plugin_package_file_size" CHECK (octet_length("plugin_package_files"."content") <= 1048576)
);
--> statement-breakpoint
CREATE TABLE "plugin_packages" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"source" text NOT NULL,
	"sha256" text NOT NULL,
	"plugin" jsonb NOT NULL,
	"fetched_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "plugin_package_files" ADD CONSTRAINT "plugin_package_files_package_id_plugin_packages_id_fk" FOREIGN KEY ("package_id") REFERENCES "public"."plugin_packages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "plugin_package_content" ON "plugin_packages" USING btree ("source","sha256");--> statement-breakpoint
CREATE INDEX "plugin_packages_expiry" ON "plugin_packages" USING btree ("expires_at");