CREATE TYPE "public"."process_kind" AS ENUM('server', 'worker');--> statement-breakpoint
CREATE TABLE "loop_ticks" (
	"process_id" text NOT NULL,
	"process_kind" "process_kind" NOT NULL,
	"loop" text NOT NULL,
	"every_ms" integer NOT NULL,
	"last_tick_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "loop_ticks_process_id_loop_pk" PRIMARY KEY("process_id","loop")
);
--> statement-breakpoint
CREATE TABLE "rate_windows" (
	"key" text PRIMARY KEY NOT NULL,
	"count" integer NOT NULL,
	"started_at" timestamp with time zone DEFAULT cp_now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "rate_windows_old" ON "rate_windows" USING btree ("started_at");