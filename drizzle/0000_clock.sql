-- One clock for the whole platform. Only test databases have a row in clock_skew.
CREATE TABLE "clock_skew" ("ms" bigint NOT NULL);
--> statement-breakpoint
CREATE FUNCTION cp_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT clock_timestamp() + COALESCE((SELECT ms FROM clock_skew LIMIT 1), 0) * interval '1 millisecond'
$$;
