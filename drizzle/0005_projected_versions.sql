ALTER TABLE "managed_files" ADD COLUMN "projected_sha256" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
UPDATE "managed_files" SET "projected_sha256" = ARRAY["base_sha256"] WHERE "base_sha256" IS NOT NULL;--> statement-breakpoint
ALTER TABLE "managed_files" DROP COLUMN "base_sha256";
