import { LAST_USED_THROTTLE_SECONDS } from "@molecule/domain/sessions";
import type { TokenKind } from "@molecule/domain/sets";
import { and, eq, inArray, isNull, ne, or, sql } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { workspaces, workspaceTokens } from "../schema/workspaces.ts";

/** The workspace behind a bearer that was issued once. */
export interface Bearer {
  readonly tokenId: string;
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly attemptNo: number | null;
  readonly tokenKind: TokenKind;
  /**
   * `live`; `superseded`: its attempt is over; `revoked`: by hand; `removed`: the workspace is.
   * Source: lifecycle A4, order of the runtime routes.
   */
  readonly state: "live" | "superseded" | "revoked" | "removed";
  readonly removedAt: Date | null;
  /** Its last use was noted long enough ago to be noted again. */
  readonly isTouchDue: boolean;
}

/** The bearer with this digest; null when none was ever issued or its workspace is purged. */
export async function findBearer(q: Queryable, tokenSha256: Uint8Array): Promise<Bearer | null> {
  const [row] = await ormOf(q)
    .select({
      tokenId: workspaceTokens.id,
      workspaceId: workspaceTokens.workspaceId,
      workspaceName: workspaces.name,
      attemptNo: workspaceTokens.attemptNo,
      tokenKind: workspaceTokens.kind,
      revokedAt: workspaceTokens.revokedAt,
      currentAttempt: workspaces.currentAttempt,
      intent: workspaces.intent,
      removedAt: workspaces.removedAt,
      isTouchDue: sql<boolean>`COALESCE(${workspaceTokens.lastUsedAt} < cp_now() - ${LAST_USED_THROTTLE_SECONDS} * interval '1 second', true)`,
    })
    .from(workspaceTokens)
    .innerJoin(workspaces, eq(workspaces.id, workspaceTokens.workspaceId))
    .where(eq(workspaceTokens.tokenSha256, tokenSha256));
  if (row === undefined) return null;
  const { revokedAt, currentAttempt, intent, ...bearer } = row;
  return { ...bearer, state: stateOf({ ...bearer, revokedAt, currentAttempt, intent }) };
}

function stateOf(row: {
  readonly attemptNo: number | null;
  readonly revokedAt: Date | null;
  readonly currentAttempt: number;
  readonly intent: string;
}): Bearer["state"] {
  if (row.intent === "deleted") return "removed";
  if (row.attemptNo !== null && row.attemptNo < row.currentAttempt) return "superseded";
  if (row.revokedAt === null) return "live";
  // The platform takes the current attempt's token back only when it stops the workspace.
  return row.attemptNo !== null && row.intent !== "run" ? "superseded" : "revoked";
}

/** Notes that a token is in use. */
export async function touchToken(q: Queryable, tokenId: string): Promise<void> {
  await ormOf(q)
    .update(workspaceTokens)
    .set({ lastUsedAt: sql`cp_now()` })
    .where(eq(workspaceTokens.id, tokenId));
}

/** Which of these tokens still speak for their workspace. */
export async function stillLiveTokens(
  q: Queryable,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await ormOf(q)
    .select({ id: workspaceTokens.id })
    .from(workspaceTokens)
    .innerJoin(workspaces, eq(workspaces.id, workspaceTokens.workspaceId))
    .where(
      and(
        inArray(workspaceTokens.id, [...ids]),
        isNull(workspaceTokens.revokedAt),
        ne(workspaces.intent, "deleted"),
        or(
          isNull(workspaceTokens.attemptNo),
          eq(workspaceTokens.attemptNo, workspaces.currentAttempt),
        ),
      ),
    );
  return new Set(rows.map((row) => row.id));
}
