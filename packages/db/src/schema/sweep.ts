import type { HoldEvidence } from "@molecule/domain/sweep-hold";
import { jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { instant, now } from "./columns.ts";
import { backend, sweepHoldKind, sweepHoldState } from "./enums.ts";

/** The machine that was last seen behind a backend; what an empty listing is compared with. */
export const backendIdentities = pgTable("backend_identities", {
  backend: backend("backend").primaryKey(),
  identity: text("identity").notNull(),
  rememberedAt: instant("remembered_at").notNull().default(now),
});

/** A question that a sweep asks the owner, with exactly what would be done. One per backend and kind. */
export const sweepHolds = pgTable(
  "sweep_holds",
  {
    /** New whenever what would be done changes, so that a decision is always about what was shown. */
    id: uuid("id").primaryKey().defaultRandom(),
    backend: backend("backend").notNull(),
    kind: sweepHoldKind("kind").notNull(),
    state: sweepHoldState("state").notNull().default("open"),
    evidence: jsonb("evidence").$type<HoldEvidence>().notNull(),
    since: instant("since").notNull().default(now),
    lastSeenAt: instant("last_seen_at").notNull().default(now),
    decidedAt: instant("decided_at"),
    decidedBy: text("decided_by"),
  },
  (t) => [uniqueIndex("one_sweep_hold").on(t.backend, t.kind)],
);
