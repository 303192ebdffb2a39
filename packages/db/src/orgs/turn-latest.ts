import { sql } from "drizzle-orm";

/** An agent of an import that nobody gives a turn to start starts without one after this. */
export const TURN_LATEST = sql`interval '1 day'`;
