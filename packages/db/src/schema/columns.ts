import { sql } from "drizzle-orm";
import { bigint, customType, timestamp } from "drizzle-orm/pg-core";

/** The platform's clock. JavaScript time is never written to the database. */
export const now = sql`cp_now()`;

/** An instant with microseconds, read as `Date`. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** A 64-bit counter, read as `number`: none of ours passes 2^53 in a lifetime. */
export const counter = (name: string) => bigint(name, { mode: "number" });

/** Raw bytes. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => "bytea",
});
