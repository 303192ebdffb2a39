import { LAST_USED_THROTTLE_SECONDS, SESSION_IDLE_SECONDS } from "@molecule/domain/sessions";
import { TERMINAL_FRESH_SECONDS } from "@molecule/domain/terminal";
import { and, eq, gt, inArray, isNull, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { members, sessions } from "../schema/content.ts";
import type { SessionMember } from "./sign-in-links.ts";

/** Wakes every server process when a session ends; the payload is empty. */
export const SESSIONS_CHANNEL = "cp_sessions";

/** A session that is valid now. */
export interface LiveSession {
  readonly member: SessionMember;
  readonly expiresAt: Date;
  /** Its last use was noted long enough ago to be noted again. */
  readonly isTouchDue: boolean;
  /** It was used a moment ago: by this request it may open a terminal. */
  readonly isFresh: boolean;
}

function isLive() {
  return and(
    isNull(sessions.revokedAt),
    isNull(members.removedAt),
    gt(sessions.expiresAt, sql`cp_now()`),
    gt(sessions.lastSeenAt, sql`cp_now() - ${SESSION_IDLE_SECONDS} * interval '1 second'`),
  );
}

/** The session of a cookie; null when unknown, revoked, too old or too long unused. */
export async function findSession(
  q: Queryable,
  tokenSha256: Uint8Array,
): Promise<LiveSession | null> {
  const [row] = await ormOf(q)
    .select({
      id: members.id,
      name: members.name,
      role: members.role,
      expiresAt: sessions.expiresAt,
      isFresh: sql<boolean>`${sessions.lastSeenAt} > cp_now() - ${TERMINAL_FRESH_SECONDS} * interval '1 second'`,
      isTouchDue: sql<boolean>`${sessions.lastSeenAt} < cp_now() - ${LAST_USED_THROTTLE_SECONDS} * interval '1 second'`,
    })
    .from(sessions)
    .innerJoin(members, eq(members.id, sessions.memberId))
    .where(and(eq(sessions.tokenSha256, tokenSha256), isLive()));
  if (row === undefined) return null;
  const { id, name, role, expiresAt, isTouchDue, isFresh } = row;
  return { member: { id, name, role }, expiresAt, isTouchDue, isFresh };
}

/** Which of these sessions are still valid, as hex digests. */
export async function stillLiveSessions(
  q: Queryable,
  digests: readonly string[],
): Promise<ReadonlySet<string>> {
  if (digests.length === 0) return new Set();
  const rows = await ormOf(q)
    .select({ digest: sessions.tokenSha256 })
    .from(sessions)
    .innerJoin(members, eq(members.id, sessions.memberId))
    .where(
      and(
        inArray(
          sessions.tokenSha256,
          digests.map((digest) => Buffer.from(digest, "hex")),
        ),
        isLive(),
      ),
    );
  return new Set(rows.map((row) => Buffer.from(row.digest).toString("hex")));
}

/** Notes that a session is in use. */
export async function touchSession(q: Queryable, tokenSha256: Uint8Array): Promise<void> {
  await ormOf(q)
    .update(sessions)
    .set({ lastSeenAt: sql`cp_now()` })
    .where(eq(sessions.tokenSha256, tokenSha256));
}

/** Ends a session for every server process. */
export async function revokeSession(tx: Transaction, tokenSha256: Uint8Array): Promise<void> {
  const orm = ormOf(tx);
  await orm
    .update(sessions)
    .set({ revokedAt: sql`cp_now()` })
    .where(and(eq(sessions.tokenSha256, tokenSha256), isNull(sessions.revokedAt)));
  await orm.execute(sql`SELECT pg_notify(${SESSIONS_CHANNEL}, '')`);
}
