import { index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { instant, now } from "./columns.ts";
import { processKind } from "./enums.ts";

/** When each loop of each process ended a round last. Written every few seconds, not with each round. */
export const loopTicks = pgTable(
  "loop_ticks",
  {
    processId: text("process_id").notNull(),
    processKind: processKind("process_kind").notNull(),
    loop: text("loop").notNull(),
    /** Time between two rounds where nothing brings one forward, in ms. */
    everyMs: integer("every_ms").notNull(),
    lastTickAt: instant("last_tick_at").notNull().default(now),
  },
  (t) => [primaryKey({ columns: [t.processId, t.loop] })],
);

/** Requests of one caller in its present minute, over every server process. */
export const rateWindows = pgTable(
  "rate_windows",
  {
    /** `token:<id>`, `session:<digest>`, `admin` or `ip:<address>`; never a credential. */
    key: text("key").primaryKey(),
    count: integer("count").notNull(),
    startedAt: instant("started_at").notNull().default(now),
  },
  (t) => [index("rate_windows_old").on(t.startedAt)],
);
