import { randomBytes } from "node:crypto";
import { addTicket, type TicketHolder, useTicket } from "@molecule/db/terminal/tickets";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import { DomainError } from "@molecule/domain/errors";
import type { Auth } from "../../context.ts";
import type { Deps } from "../../deps.ts";
import { checkGuard, WORKSPACE } from "../../http/guards.ts";

/**
 * Passes for who may have a shell in the workspace: its own live token, the admin token, a member who may
 * change things. Looks at nothing but the caller. Source: security C2 row 20, wire contract §15.
 * @throws DomainError `unauthenticated`, `forbidden`, `superseded`.
 */
export function requireTerminal(auth: Auth, workspaceId: string, headers: Headers): void {
  // Having a shell changes things, whatever the method says.
  checkGuard(WORKSPACE, auth, { workspaceId, isUnsafe: true });
  const caller = headers.get("x-workspace-id");
  if (auth.kind === "workspace" && caller !== null && caller !== workspaceId) {
    throw new DomainError(
      "unauthenticated",
      "The token is not of the workspace in X-Workspace-ID.",
    );
  }
}

/**
 * A ticket that opens the workspace's terminal once, within 30 s, for this session.
 * @throws DomainError `forbidden` (the session was unused for 15 minutes), `not_found`.
 */
export async function issueTicket(deps: Deps, auth: Auth, workspaceId: string): Promise<string> {
  if (auth.kind === "member" && !auth.isFresh) {
    throw new DomainError("forbidden", "You were away for more than 15 minutes.", {
      next: "Press Connect again to go on.",
    });
  }
  const ticket = randomBytes(32).toString("base64url");
  const holder = holderOf(auth, workspaceId, ticket);
  if (holder === null || !(await deps.db.transaction((tx) => addTicket(tx, holder)))) {
    throw new DomainError("not_found", "There is no such workspace.");
  }
  return ticket;
}

/** Uses the ticket up; the attempt it is for. @throws DomainError `unauthenticated`. */
export async function redeemTicket(
  deps: Deps,
  auth: Auth,
  asked: { readonly workspaceId: string; readonly ticket: string },
): Promise<number> {
  const holder = holderOf(auth, asked.workspaceId, asked.ticket);
  const attemptNo =
    holder === null ? null : await deps.db.transaction((tx) => useTicket(tx, holder));
  if (attemptNo === null) {
    throw new DomainError("unauthenticated", "The ticket of this terminal is not valid any more.", {
      next: "Connect again.",
    });
  }
  return attemptNo;
}

/** Null for who is given no tickets: they show what they have themselves. */
function holderOf(auth: Auth, workspaceId: string, ticket: string): TicketHolder | null {
  if (auth.kind !== "member" && auth.kind !== "admin") return null;
  const sessionSha256 = auth.kind === "member" ? Buffer.from(auth.sessionId, "hex") : null;
  return { tokenSha256: tokenDigest(ticket), workspaceId, sessionSha256 };
}
