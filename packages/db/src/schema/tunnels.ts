import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant, now } from "./columns.ts";
import { hostKeySource } from "./enums.ts";

/** Who holds which of the connections that an endpoint allows. A row that is silent is free. */
export const tunnelPlaces = pgTable(
  "tunnel_places",
  {
    /** `account/region/eice-…`. */
    endpoint: text("endpoint").notNull(),
    /** From 1 to the cap. */
    place: integer("place").notNull(),
    /** New with every connection, so that a late worker neither keeps nor frees another's. */
    leaseId: uuid("lease_id").notNull(),
    /** Id of the worker. */
    holder: text("holder").notNull(),
    /** `account/region/i-…`. */
    machine: text("machine").notNull(),
    leaseUntil: instant("lease_until").notNull(),
    /** Set while some worker waits for a place: whoever has an unused connection gives it up. */
    wantedUntil: instant("wanted_until"),
  },
  (t) => [
    primaryKey({ columns: [t.endpoint, t.place] }),
    index("tunnel_places_holder").on(t.holder),
    check("tunnel_place_counts_from_one", sql`${t.place} >= 1`),
  ],
);

/** The one SSH key each machine is known by. A new machine has a new id, so a row never changes. */
export const hostKeys = pgTable("host_keys", {
  /** `account/region/i-…`. */
  machine: text("machine").primaryKey(),
  keyType: text("key_type").notNull(),
  /** Base64 without padding. */
  sha256: text("sha256").notNull(),
  source: hostKeySource("source").notNull(),
  pinnedAt: instant("pinned_at").notNull().default(now),
});
