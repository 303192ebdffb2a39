CREATE TYPE "public"."sweep_hold_kind" AS ENUM('removals', 'identity');--> statement-breakpoint
CREATE TYPE "public"."sweep_hold_state" AS ENUM('open', 'confirmed', 'dismissed');--> statement-breakpoint
ALTER TYPE "public"."event_type" ADD VALUE 'SWEEP_ACTED';--> statement-breakpoint
CREATE TABLE "backend_identities" (
	"backend" "backend" PRIMARY KEY NOT NULL,
	"identity" text NOT NULL,
	"remembered_at" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sweep_holds" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"backend" "backend" NOT NULL,
	"kind" "sweep_hold_kind" NOT NULL,
	"state" "sweep_hold_state" DEFAULT 'open' NOT NULL,
	"evidence" jsonb NOT NULL,
	"since" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"decided_at" timestamp with time zone,
	"decided_by" text
);
--> statement-breakpoint
ALTER TABLE "machines" ADD COLUMN "fenced_at" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "one_sweep_hold" ON "sweep_holds" USING btree ("backend","kind");