import {
  BOOT_TOKEN_TTL_MS,
  type BootTokenVerdict,
  explainRefusal,
  judgeBootToken,
} from "@molecule/domain/boot-token";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, eq, isNull, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { recordLifecycle } from "../lifecycle/record-lifecycle.ts";
import { attempts, bootTokens, workspaces } from "../schema/workspaces.ts";
import { type AttemptToken, type AttemptTokenInput, attemptToken } from "./attempt-token.ts";
import { type BootToken, bootToken } from "./boot-token.ts";

/**
 * Issues the boot token of an attempt, right before its machine is asked for. Its time begins anew when
 * the creation is repeated and nobody has used it. SPEC: BT1.
 */
export async function issueBootToken(
  q: Queryable,
  tokenKey: Uint8Array,
  attempt: AttemptTokenInput,
): Promise<BootToken> {
  const issued = bootToken(tokenKey, attempt);
  const expiresAt = sql`cp_now() + ${BOOT_TOKEN_TTL_MS} * interval '1 millisecond'`;
  await ormOf(q)
    .insert(bootTokens)
    .values({
      workspaceId: attempt.workspaceId,
      attemptNo: attempt.attemptNo,
      tokenSha256: issued.sha256,
      expiresAt,
    })
    .onConflictDoUpdate({
      target: [bootTokens.workspaceId, bootTokens.attemptNo],
      set: { expiresAt },
      setWhere: isNull(bootTokens.usedAt),
    });
  return issued;
}

/** A boot token as somebody presents it. */
export interface BootTokenUse {
  readonly workspaceId: string;
  readonly tokenSha256: Uint8Array;
  /** SHA-256 of how the caller names its exchange; null: it does not, so there is no second answer. */
  readonly exchangeSha256: Uint8Array | null;
}

/** What came of it. `token` speaks for the attempt from now on. */
export type Exchanged =
  | { readonly kind: "unknown" }
  | { readonly kind: "accepted"; readonly attemptNo: number; readonly token: AttemptToken }
  | (Extract<BootTokenVerdict, { kind: "refused" }> & { readonly attemptNo: number });

/**
 * Exchanges a boot token for the token of its attempt, once. A refusal of a used or an expired one is
 * counted and told by an event in this transaction, so the caller commits before it refuses. SPEC: BT1 to BT5.
 */
export async function exchangeBootToken(
  tx: Transaction,
  tokenKey: Uint8Array,
  use: BootTokenUse,
): Promise<Exchanged> {
  const orm = ormOf(tx);
  const [row] = await orm
    .select({
      attemptNo: bootTokens.attemptNo,
      usedAt: bootTokens.usedAt,
      expiresAt: bootTokens.expiresAt,
      exchangeSha256: bootTokens.exchangeSha256,
      refusals: bootTokens.refusals,
      currentAttempt: workspaces.currentAttempt,
      createToken: attempts.createToken,
      now: sql<Date>`cp_now()`.mapWith(bootTokens.expiresAt),
    })
    .from(bootTokens)
    .innerJoin(workspaces, eq(workspaces.id, bootTokens.workspaceId))
    .innerJoin(
      attempts,
      and(eq(attempts.workspaceId, bootTokens.workspaceId), eq(attempts.no, bootTokens.attemptNo)),
    )
    .where(
      and(eq(bootTokens.tokenSha256, use.tokenSha256), eq(bootTokens.workspaceId, use.workspaceId)),
    )
    .for("update", { of: bootTokens });
  if (row === undefined) return { kind: "unknown" };
  const { attemptNo } = row;
  const isSameExchange = isSame(row.exchangeSha256, use.exchangeSha256);
  const verdict = judgeBootToken({ ...row, isSameExchange }, row.now);
  const mine = and(
    eq(bootTokens.workspaceId, use.workspaceId),
    eq(bootTokens.attemptNo, attemptNo),
  );
  if (verdict.kind === "refused") {
    // The one that used it and comes too late for its second answer is nobody else.
    if (isSameExchange) return { ...verdict, attemptNo };
    await orm
      .update(bootTokens)
      .set({ refusals: row.refusals + 1 })
      .where(mine);
    if (verdict.why !== "superseded" && row.refusals === 0) {
      await tellRefusal(tx, { ...use, attemptNo, why: verdict.why });
    }
    return { ...verdict, attemptNo };
  }
  if (verdict.isFirst) {
    await orm
      .update(bootTokens)
      .set({ usedAt: sql`cp_now()`, exchangeSha256: use.exchangeSha256 })
      .where(mine);
  }
  const { createToken } = row;
  const token = attemptToken(tokenKey, { workspaceId: use.workspaceId, attemptNo, createToken });
  return { kind: "accepted", attemptNo, token };
}

/** Once per token, however often it comes: whoever holds it must not be able to fill the log. */
async function tellRefusal(
  tx: Transaction,
  refused: { workspaceId: string; attemptNo: number; why: "used" | "expired" },
): Promise<void> {
  const { workspaceId, attemptNo, why } = refused;
  const summary = explainRefusal(why, attemptNo);
  await recordLifecycle(tx, { workspaceId, actor: PLATFORM_ACTOR, sentence: summary });
  await appendEvent(tx, {
    event: "BOOT_TOKEN_REFUSED",
    subjectId: workspaceId,
    payload: { attempt: attemptNo, why, summary },
  });
}

/** Both named their exchange, and by the same name. */
function isSame(stored: Uint8Array | null, given: Uint8Array | null): boolean {
  return stored !== null && given !== null && Buffer.from(stored).equals(Buffer.from(given));
}

/** Whether a boot token may fetch what its machine boots with: issued, not over, of the current attempt. */
export async function isLiveBootToken(q: Queryable, tokenSha256: Uint8Array): Promise<boolean> {
  const rows = await ormOf(q)
    .select({ attemptNo: bootTokens.attemptNo })
    .from(bootTokens)
    .innerJoin(workspaces, eq(workspaces.id, bootTokens.workspaceId))
    .where(
      and(
        eq(bootTokens.tokenSha256, tokenSha256),
        eq(bootTokens.attemptNo, workspaces.currentAttempt),
        eq(workspaces.intent, "run"),
        sql`${bootTokens.expiresAt} > cp_now()`,
      ),
    );
  return rows.length > 0;
}
