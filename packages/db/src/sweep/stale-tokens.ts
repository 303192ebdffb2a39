import type { Backend } from "@molecule/domain/sets";
import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { tellSweep } from "./tell-sweep.ts";

interface StaleToken extends Record<string, unknown> {
  readonly workspace_id: string;
  readonly backend: Backend;
  readonly kind: string;
  readonly attempt_no: string | null;
  readonly current_attempt: string;
  readonly intent: string;
  readonly prefix: string;
}

/**
 * Takes back what outlived its attempt or its workspace, and tells each. A token is compared with the
 * number of its attempt and with nothing else: numbers only grow, so a fresh one cannot be hit, whatever
 * happens at the same time and whatever a backend lists. Returns how many. SPEC: G9.
 */
export async function revokeStaleTokens(tx: Transaction): Promise<number> {
  const rows = await ormOf(tx).execute<StaleToken>(sql`
    UPDATE workspace_tokens t SET revoked_at = cp_now() FROM workspaces w
    WHERE w.id = t.workspace_id AND t.revoked_at IS NULL
      AND ((t.kind = 'attempt' AND (t.attempt_no < w.current_attempt
          OR (w.phase = 'PAUSED' AND w.intent <> 'run')))
        OR w.intent = 'deleted')
    RETURNING t.workspace_id, w.backend, t.kind, t.attempt_no, w.current_attempt, w.intent, t.prefix`);
  for (const row of rows) {
    const what = row.attempt_no === null ? "A token" : `The token of attempt ${row.attempt_no}`;
    await tellSweep(tx, {
      action: "token_revoked",
      rule: "G9",
      backend: row.backend,
      workspaceId: row.workspace_id,
      evidence: {
        attempt: row.attempt_no === null ? null : Number(row.attempt_no),
        current_attempt: Number(row.current_attempt),
        intent: row.intent,
        token_kind: row.kind,
        token_prefix: row.prefix,
      },
      sentence: `${what} was still valid although ${whyOver(row)}; it was taken back.`,
    });
  }
  return rows.length;
}

function whyOver(row: StaleToken): string {
  if (row.intent === "deleted") return "the workspace was deleted";
  if (row.attempt_no === row.current_attempt) return "the workspace rests";
  return `attempt ${row.current_attempt} is the current one`;
}
