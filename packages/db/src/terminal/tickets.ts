import { TERMINAL_TICKET_SECONDS } from "@molecule/domain/terminal";
import { and, eq, gt, isNull, lt, ne, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { terminalTickets } from "../schema/content.ts";
import { workspaces } from "../schema/workspaces.ts";

/** Who asks for a ticket, or brings one. */
export interface TicketHolder {
  readonly tokenSha256: Uint8Array;
  readonly workspaceId: string;
  /** The session's digest; null for the operator of this machine. */
  readonly sessionSha256: Uint8Array | null;
}

/**
 * Stores a ticket for the workspace's current attempt that works once, for 30 s. False when there is no
 * such workspace. Old ones are forgotten on the way.
 */
export async function addTicket(tx: Transaction, ticket: TicketHolder): Promise<boolean> {
  const orm = ormOf(tx);
  await orm
    .delete(terminalTickets)
    .where(lt(terminalTickets.expiresAt, sql`cp_now() - interval '1 hour'`));
  const [place] = await orm
    .select({ attemptNo: workspaces.currentAttempt })
    .from(workspaces)
    .where(and(eq(workspaces.id, ticket.workspaceId), ne(workspaces.intent, "deleted")));
  if (place === undefined) return false;
  await orm.insert(terminalTickets).values({
    ...ticket,
    attemptNo: place.attemptNo,
    expiresAt: sql`cp_now() + ${TERMINAL_TICKET_SECONDS} * interval '1 second'`,
  });
  return true;
}

/**
 * Uses a ticket up; the attempt it is for. Null when it is unknown, used, too old, or was made for another
 * workspace or session. Of two that bring it at once exactly one gets in.
 */
export async function useTicket(tx: Transaction, ticket: TicketHolder): Promise<number | null> {
  const [used] = await ormOf(tx)
    .update(terminalTickets)
    .set({ usedAt: sql`cp_now()` })
    .where(
      and(
        eq(terminalTickets.tokenSha256, ticket.tokenSha256),
        eq(terminalTickets.workspaceId, ticket.workspaceId),
        ticket.sessionSha256 === null
          ? isNull(terminalTickets.sessionSha256)
          : eq(terminalTickets.sessionSha256, ticket.sessionSha256),
        isNull(terminalTickets.usedAt),
        gt(terminalTickets.expiresAt, sql`cp_now()`),
      ),
    )
    .returning({ attemptNo: terminalTickets.attemptNo });
  return used?.attemptNo ?? null;
}
