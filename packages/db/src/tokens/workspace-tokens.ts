import { createHash, randomBytes } from "node:crypto";
import type { TokenKind } from "@molecule/domain/sets";
import { and, count, desc, eq, isNull, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { workspaceTokens } from "../schema/workspaces.ts";

/** Live tokens a workspace may have. Source: contract §14. */
export const MAX_LIVE_TOKENS = 50;
const TOKEN_MARK = "wst_";
const PREFIX_LENGTH = 8;

/** A token as a list shows it; never its text. */
export interface TokenRow {
  readonly id: string;
  readonly kind: TokenKind;
  /** First eight characters of the random part. */
  readonly prefix: string;
  readonly attemptNo: number | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** A token that was just made. `token` is shown once and stored nowhere. */
export interface NewToken extends TokenRow {
  readonly token: string;
}

/** SHA-256 of a bearer: the only form that is stored and looked up. */
export function tokenDigest(token: string): Uint8Array {
  return createHash("sha256").update(token, "utf8").digest();
}

/** Makes a token of kind `external` or `minted`; attempts derive theirs. The caller checks the limit. */
export async function mintToken(
  tx: Transaction,
  workspaceId: string,
  kind: Exclude<TokenKind, "attempt">,
): Promise<NewToken> {
  const random = randomBytes(32).toString("base64url");
  const token = `${TOKEN_MARK}${random}`;
  const [row] = await ormOf(tx)
    .insert(workspaceTokens)
    .values({
      workspaceId,
      kind,
      tokenSha256: tokenDigest(token),
      prefix: random.slice(0, PREFIX_LENGTH),
    })
    .returning();
  if (row === undefined) throw new Error("invariant: an insert returns its row");
  return { ...viewOf(row), token };
}

/** How many tokens of the workspace are not revoked; locks the workspace, so that two mints wait. */
export async function lockLiveTokenCount(tx: Transaction, workspaceId: string): Promise<number> {
  const orm = ormOf(tx);
  await orm.execute(sql`SELECT 1 FROM workspaces WHERE id = ${workspaceId} FOR UPDATE`);
  const [row] = await orm
    .select({ live: count() })
    .from(workspaceTokens)
    .where(isLive(workspaceId));
  return row?.live ?? 0;
}

/** Live tokens, newest first. */
export async function listTokens(
  q: Queryable,
  workspaceId: string,
  page: { readonly limit: number; readonly offset: number },
): Promise<TokenRow[]> {
  const rows = await ormOf(q)
    .select()
    .from(workspaceTokens)
    .where(isLive(workspaceId))
    .orderBy(desc(workspaceTokens.createdAt), desc(workspaceTokens.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(viewOf);
}

/** Revokes one token; false when the workspace has no such live token. */
export async function revokeToken(
  tx: Transaction,
  workspaceId: string,
  tokenId: string,
): Promise<boolean> {
  const gone = await ormOf(tx)
    .update(workspaceTokens)
    .set({ revokedAt: sql`cp_now()` })
    .where(and(isLive(workspaceId), eq(workspaceTokens.id, tokenId)))
    .returning({ id: workspaceTokens.id });
  return gone.length > 0;
}

/** Revokes every live token of the workspace; answers how many. */
export async function revokeAllTokens(tx: Transaction, workspaceId: string): Promise<number> {
  const gone = await ormOf(tx)
    .update(workspaceTokens)
    .set({ revokedAt: sql`cp_now()` })
    .where(isLive(workspaceId))
    .returning({ id: workspaceTokens.id });
  return gone.length;
}

function isLive(workspaceId: string) {
  return and(eq(workspaceTokens.workspaceId, workspaceId), isNull(workspaceTokens.revokedAt));
}

function viewOf(row: typeof workspaceTokens.$inferSelect): TokenRow {
  const shown = row.prefix.startsWith(TOKEN_MARK)
    ? row.prefix.slice(TOKEN_MARK.length)
    : row.prefix;
  return {
    id: row.id,
    kind: row.kind,
    prefix: shown,
    attemptNo: row.attemptNo,
    createdAt: row.createdAt,
    lastUsedAt: row.lastUsedAt,
  };
}
