CREATE TYPE "public"."host_key_source" AS ENUM('provisioning', 'console', 'first_use');--> statement-breakpoint
ALTER TYPE "public"."tally_name" ADD VALUE 'tunnels';--> statement-breakpoint
CREATE TABLE "host_keys" (
	"machine" text PRIMARY KEY NOT NULL,
	"key_type" text NOT NULL,
	"sha256" text NOT NULL,
	"source" "host_key_source" NOT NULL,
	"pinned_at" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tunnel_places" (
	"endpoint" text NOT NULL,
	"place" integer NOT NULL,
	"lease_id" uuid NOT NULL,
	"holder" text NOT NULL,
	"machine" text NOT NULL,
	"lease_until" timestamp with time zone NOT NULL,
	"wanted_until" timestamp with time zone,
	CONSTRAINT "tunnel_places_endpoint_place_pk" PRIMARY KEY("endpoint","place"),
	CONSTRAINT "tunnel_place_counts_from_one" CHECK ("tunnel_places"."place" >= 1)
);
--> statement-breakpoint
CREATE INDEX "tunnel_places_holder" ON "tunnel_places" USING btree ("holder");