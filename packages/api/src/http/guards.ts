import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import type { Auth } from "../context.ts";

/**
 * Who may call a route. Source: wire contract §2.2 and §2.3 as replaced by architecture 11.
 * - `open`: anyone.
 * - `signed-in`: a member, the admin token or any live workspace token.
 * - `admin`: a member (not a viewer where something changes) or the admin token.
 * - `workspace`: as `admin`, or a live token of exactly the workspace in the path (`:id`).
 * - `registry`: a live token of the workspace that `idField` of the body names.
 *
 * `takesBootToken`: a bearer that looks like a boot token is left to the handler, which gets nobody's
 * `auth` and has to judge it; everywhere else it is a bearer that nobody has.
 *
 * A removed workspace in the path (or the body) is answered 410 before anything else, unless
 * `removedIs: "handled"` leaves it to the handler.
 */
export type Guard =
  | {
      readonly kind: "open";
      /** The answer differs for callers with a credential, so it is looked up. */
      readonly reads?: "credential";
      readonly removedIs?: "handled";
    }
  | {
      readonly kind: "signed-in";
      /** The handler refuses a removed workspace itself; all others are told before they are refused. */
      readonly removedIs?: "told";
      readonly takesBootToken?: true;
    }
  | { readonly kind: "admin"; readonly removedIs?: "handled" }
  | { readonly kind: "workspace"; readonly removedIs?: "handled"; readonly strictId?: boolean }
  | {
      readonly kind: "registry";
      readonly idField: string;
      /** Members and the admin token pass as well. */
      readonly allowsMembers?: boolean;
      readonly takesBootToken?: true;
    };

export const OPEN: Guard = { kind: "open" };
export const SIGNED_IN: Guard = { kind: "signed-in" };
/** As {@link SIGNED_IN}, for a handler that loads the workspace and answers 410 for a removed one. */
export const SIGNED_IN_TOLD: Guard = { kind: "signed-in", removedIs: "told" };
export const ADMIN: Guard = { kind: "admin" };
export const WORKSPACE: Guard = { kind: "workspace" };
/** As {@link WORKSPACE}; the id must be lower-case canonical. Source: wire contract §1. */
export const WORKSPACE_STRICT: Guard = { kind: "workspace", strictId: true };

/** The `:id` of a path in canonical form. @throws DomainError `bad_request`. */
export function canonicalId(text: string, isStrict: boolean): string {
  const id = parseWorkspaceId(text);
  if (id === null || (isStrict && id !== text)) {
    throw new DomainError("bad_request", "The workspace id must be a UUID in lower case.");
  }
  return id;
}

/**
 * Passes or throws. For a workspace token of an older attempt the last step is `superseded`.
 * @throws DomainError `unauthenticated`, `forbidden`, `superseded`.
 */
export function checkGuard(
  guard: Guard,
  auth: Auth,
  request: { readonly workspaceId: string | null; readonly isUnsafe: boolean },
): void {
  switch (guard.kind) {
    case "open":
      return;
    case "signed-in":
      if (auth.kind === "anonymous") throw unauthenticated();
      break;
    case "admin":
      requireAdmin(auth, request.isUnsafe);
      return;
    case "workspace":
      if (auth.kind === "workspace") requireOwn(auth.workspaceId, request.workspaceId);
      else requireAdmin(auth, request.isUnsafe);
      break;
    case "registry":
      if (auth.kind === "workspace") requireOwn(auth.workspaceId, request.workspaceId);
      else if (guard.allowsMembers === true) requireAdmin(auth, request.isUnsafe);
      else throw unauthenticated();
      break;
  }
  if (auth.kind === "workspace" && auth.isSuperseded) throw superseded();
}

function requireAdmin(auth: Auth, isUnsafe: boolean): void {
  if (auth.kind === "admin") return;
  if (auth.kind !== "member") throw unauthenticated();
  if (isUnsafe && auth.member.role === "viewer") {
    throw new DomainError("forbidden", "You can look at everything here, but not change it.", {
      next: "Ask the owner to make you an editor.",
    });
  }
}

function requireOwn(tokenOf: string, asked: string | null): void {
  if (tokenOf !== asked) throw unauthenticated();
}

function unauthenticated(): DomainError {
  return new DomainError("unauthenticated", "This needs a valid token or a signed-in session.", {
    next: "Sign in, or send “Authorization: Bearer <token>”.",
  });
}

function superseded(): DomainError {
  return new DomainError("superseded", "A newer start of this workspace has taken over.", {
    next: "Stop this instance; the newer one is running.",
    details: { superseded: true },
  });
}
