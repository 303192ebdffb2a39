import type { TestDatabase } from "@molecule/testing/database";

/** Tables whose rows say who was there, not what they did. */
const NOTES = ["rate_windows", "loop_ticks", "seen_changes"];
/** Columns of the same kind: a last use is a courtesy. */
const COURTESY = ["last_used_at", "last_seen_at"];

/** What was changed in a database, by whatever. */
export interface WatchedChanges {
  /** Grows with every row that is inserted, deleted or changed, once that is committed. */
  position(): Promise<number>;
  /** The latest ones as “INSERT events”. */
  latest(limit: number): Promise<string[]>;
}

/** Watches every table of a test's database from now on. */
export async function watchChanges({ sql }: TestDatabase): Promise<WatchedChanges> {
  await sql`CREATE TABLE seen_changes (no bigserial PRIMARY KEY, what text NOT NULL)`;
  await sql.unsafe(`
    CREATE FUNCTION see_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - '{${COURTESY.join(",")}}'::text[]
        = to_jsonb(NEW) - '{${COURTESY.join(",")}}'::text[] THEN RETURN NULL; END IF;
      INSERT INTO seen_changes (what) VALUES (TG_OP || ' ' || TG_TABLE_NAME);
      RETURN NULL;
    END $$`);
  const tables = await sql<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
  for (const { name } of tables.filter((one) => !NOTES.includes(one.name))) {
    await sql`CREATE TRIGGER see_change AFTER INSERT OR UPDATE OR DELETE ON ${sql(name)}
      FOR EACH ROW EXECUTE FUNCTION see_change()`;
  }
  return {
    position: async () => {
      const [row] = await sql`SELECT no FROM seen_changes ORDER BY no DESC LIMIT 1`;
      return Number(row?.no ?? 0);
    },
    latest: async (limit) => {
      const rows = await sql`SELECT what FROM seen_changes ORDER BY no DESC LIMIT ${limit}`;
      return rows.map(({ what }) => String(what)).reverse();
    },
  };
}
