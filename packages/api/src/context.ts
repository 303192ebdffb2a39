import { DomainError } from "@molecule/domain/errors";
import type { Actor, MemberRole, TokenKind } from "@molecule/domain/sets";
import type { Deps } from "./deps.ts";

/** Who makes a request. */
export type Auth =
  | { readonly kind: "anonymous" }
  | { readonly kind: "admin" }
  | {
      readonly kind: "member";
      readonly member: { readonly id: string; readonly name: string; readonly role: MemberRole };
      /** Hex SHA-256 of the session's cookie: its row, never the cookie. */
      readonly sessionId: string;
      readonly expiresAt: Date;
      /** Used a moment before this request: it may open a terminal. */
      readonly isFresh: boolean;
    }
  | {
      readonly kind: "workspace";
      readonly workspaceId: string;
      readonly workspaceName: string;
      /** Null for tokens that speak for no attempt. */
      readonly attemptNo: number | null;
      readonly tokenKind: TokenKind;
      readonly tokenId: string;
      /** Its attempt is over or a newer one exists: answered with 409 where the contract says so. */
      readonly isSuperseded: boolean;
    };

/** What every procedure gets. */
export interface Context {
  readonly deps: Deps;
  readonly auth: Auth;
  readonly requestId: string;
}

/** The actor that events and attempts record. @throws DomainError `unauthenticated` for nobody. */
export function actorOf(auth: Auth): Actor {
  switch (auth.kind) {
    case "member":
      return { kind: "member", id: auth.member.id, name: auth.member.name };
    case "admin":
      return { kind: "admin", name: "the administrator" };
    case "workspace":
      return { kind: "workspace", id: auth.workspaceId, name: auth.workspaceName };
    case "anonymous":
      throw new DomainError("unauthenticated", "Sign in first.");
  }
}
