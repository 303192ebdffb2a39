CREATE TYPE "public"."machine_reach" AS ENUM('private', 'tunnel');--> statement-breakpoint
ALTER TYPE "public"."backend" ADD VALUE 'ec2' BEFORE 'external';--> statement-breakpoint
ALTER TYPE "public"."backend" ADD VALUE 'control-plane' BEFORE 'external';--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'BOOT_TOKEN_REFUSED';--> statement-breakpoint
CREATE TABLE "boot_tokens" (
	"workspace_id" uuid NOT NULL,
	"attempt_no" bigint NOT NULL,
	"token_sha256" "bytea" NOT NULL,
	"issued_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	"exchange_sha256" "bytea",
	"refusals" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "boot_tokens_workspace_id_attempt_no_pk" PRIMARY KEY("workspace_id","attempt_no"),
	CONSTRAINT "boot_tokens_token_sha256_unique" UNIQUE("token_sha256"),
	CONSTRAINT "boot_token_is_digest" CHECK (octet_length("boot_tokens"."token_sha256") = 32),
	CONSTRAINT "exchange_of_used" CHECK ("boot_tokens"."exchange_sha256" IS NULL OR "boot_tokens"."used_at" IS NOT NULL)
);
--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "host_key" text;--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "reach" "machine_reach";--> statement-breakpoint
ALTER TABLE "boot_tokens" ADD CONSTRAINT "boot_tokens_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;