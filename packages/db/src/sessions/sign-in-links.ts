import { SESSION_ABSOLUTE_SECONDS, SIGN_IN_LINK_SECONDS } from "@molecule/domain/sessions";
import type { MemberRole } from "@molecule/domain/sets";
import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { members, sessions, signInLinks } from "../schema/content.ts";

/** A member as a session knows it. */
export interface SessionMember {
  readonly id: string;
  readonly name: string;
  readonly role: MemberRole;
}

/** Stores a link for `memberId` that works once, for 15 minutes. */
export async function addSignInLink(
  tx: Transaction,
  link: { readonly tokenSha256: Uint8Array; readonly memberId: string },
): Promise<void> {
  await ormOf(tx)
    .insert(signInLinks)
    .values({
      ...link,
      expiresAt: sql`cp_now() + ${SIGN_IN_LINK_SECONDS} * interval '1 second'`,
    });
}

/**
 * Uses a link up and opens the session it stands for. Null when the link is unknown, used, too old or
 * its member is gone. Of two calls with one link exactly one gets the session.
 */
export async function exchangeSignInLink(
  tx: Transaction,
  exchange: { readonly linkSha256: Uint8Array; readonly sessionSha256: Uint8Array },
): Promise<SessionMember | null> {
  const orm = ormOf(tx);
  const [used] = await orm
    .update(signInLinks)
    .set({ usedAt: sql`cp_now()` })
    .where(
      and(
        eq(signInLinks.tokenSha256, exchange.linkSha256),
        isNull(signInLinks.usedAt),
        gt(signInLinks.expiresAt, sql`cp_now()`),
      ),
    )
    .returning({ memberId: signInLinks.memberId });
  if (used === undefined) return null;
  const [member] = await orm
    .select({ id: members.id, name: members.name, role: members.role })
    .from(members)
    .where(and(eq(members.id, used.memberId), isNull(members.removedAt)));
  if (member === undefined) return null;
  await orm.insert(sessions).values({
    tokenSha256: exchange.sessionSha256,
    memberId: member.id,
    expiresAt: sql`cp_now() + ${SESSION_ABSOLUTE_SECONDS} * interval '1 second'`,
  });
  return member;
}
