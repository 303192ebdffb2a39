import { sql } from "drizzle-orm";
import type { ActivityRow } from "../activity/activity-log.ts";
import { ormOf, type Queryable } from "../database.ts";
import { activity } from "../schema/content.ts";

/** Rows that are looked through, newest first. */
const SEARCHED_ROWS = 2_000;
/** Bodies that are larger, as they are stored, are found by their summary alone. In bytes. */
const SEARCHED_BODY_BYTES = 65_536;

/** What is asked about the activity of a workspace. */
export interface ActivityQuestion {
  readonly workspaceId: string;
  /** Of letters and digits only; without any the newest rows are found. */
  readonly words: readonly string[];
  readonly limit: number;
}

/** An activity row and the share of the asked words that occur in it; null without words. */
export interface FoundActivity {
  readonly row: ActivityRow;
  readonly score: number | null;
}

/**
 * The newest activity of a workspace in which at least one of the words occurs, those with most of them
 * first. Only the newest 2,000 rows are looked through: bodies have no index, and a search must not cost
 * more the longer a workspace lives.
 */
export async function searchActivity(
  q: Queryable,
  asked: ActivityQuestion,
): Promise<FoundActivity[]> {
  const hits = await rankedIds(q, asked);
  if (hits.size === 0) return [];
  const rows = await ormOf(q)
    .select()
    .from(activity)
    .where(sql`${activity.id} = ANY (string_to_array(${[...hits.keys()].join(",")}, ',')::uuid[])`);
  return rows
    .map((row) => ({ row, score: hits.get(row.id) ?? null }))
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0) || b.row.seq - a.row.seq);
}

async function rankedIds(
  q: Queryable,
  { workspaceId, words, limit }: ActivityQuestion,
): Promise<ReadonlyMap<string, number | null>> {
  const score =
    words.length === 0
      ? sql`NULL::int`
      : sql`(SELECT count(*)::int FROM unnest(string_to_array(${words.join(" ")}, ' ')) AS asked(word)
          WHERE position(asked.word IN haystack) > 0)`;
  const rows = await ormOf(q).execute<{ id: string; matches: number | null }>(sql`
    WITH newest AS (
      SELECT id, seq, lower(concat_ws(' ', summary, error_detail,
        CASE WHEN pg_column_size(request_body) <= ${SEARCHED_BODY_BYTES} THEN request_body::text END,
        CASE WHEN pg_column_size(response_body) <= ${SEARCHED_BODY_BYTES} THEN response_body::text END
      )) AS haystack
      FROM activity WHERE workspace_id = ${workspaceId}::uuid
      ORDER BY seq DESC LIMIT ${words.length === 0 ? limit : SEARCHED_ROWS}),
    scored AS (SELECT id, seq, ${score} AS matches FROM newest)
    SELECT id, matches FROM scored WHERE matches IS NULL OR matches > 0
    ORDER BY matches DESC NULLS LAST, seq DESC LIMIT ${limit}`);
  return new Map(
    rows.map((row) => [row.id, row.matches === null ? null : row.matches / words.length]),
  );
}
