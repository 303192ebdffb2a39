import { timingSafeEqual } from "node:crypto";
import { findSession, touchSession } from "@molecule/db/sessions/find-session";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import { findBearer, touchToken } from "@molecule/db/workspaces/find-bearer";
import { isLoopbackHost } from "@molecule/domain/dev-mode";
import type { Auth } from "../context.ts";
import type { Deps } from "../deps.ts";
import { isSameOrigin } from "./same-origin.ts";
import { readSessionCookie } from "./session-cookie.ts";

/** Who asks, and what else the lookup already told. */
export interface ResolvedAuth {
  readonly auth: Auth;
  /** Key of the caller's rate window; null when no credential was valid. */
  readonly credential: string | null;
  /** The bearer belongs to this removed workspace. */
  readonly removed: { readonly id: string; readonly removedAt: Date | null } | null;
  /** A bearer was presented, so the cookie was not looked at. */
  readonly hasBearer: boolean;
}

const NOBODY: ResolvedAuth = {
  auth: { kind: "anonymous" },
  credential: null,
  removed: null,
  hasBearer: false,
};

/** Who asks without a credential in dev mode. */
const OPERATOR: ResolvedAuth = { ...NOBODY, auth: { kind: "admin" }, credential: "admin" };

/**
 * From this machine, by a name of this machine, and not by a page of somebody else's: neither a name
 * that was rebound nor a foreign site in the operator's browser is the operator.
 */
export function isOwnMachine(headers: Headers, ip: string): boolean {
  if (!isLoopbackHost(ip) || !isLoopbackHost(headers.get("host") ?? "")) return false;
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  return headers.get("origin") === null || isSameOrigin(headers);
}

/**
 * Who makes this request: a bearer when there is one (a wrong one never falls through to the cookie),
 * else the session cookie. Throws only when the database does.
 */
export async function resolveAuth(deps: Deps, headers: Headers, ip: string): Promise<ResolvedAuth> {
  const header = headers.get("authorization") ?? "";
  if (header.startsWith("Bearer ")) return await fromBearer(deps, header.slice(7).trim());
  const without = deps.platform.isDevMode && isOwnMachine(headers, ip) ? OPERATOR : NOBODY;
  const cookie = readSessionCookie(headers.get("cookie"));
  if (cookie === null) return without;
  const digest = tokenDigest(cookie);
  const session = await findSession(deps.db, digest);
  if (session === null) return without;
  if (session.isTouchDue) note(deps, touchSession(deps.db, digest));
  const sessionId = Buffer.from(digest).toString("hex");
  const { member, expiresAt, isFresh } = session;
  return {
    auth: { kind: "member", member, sessionId, expiresAt, isFresh },
    credential: `session:${sessionId}`,
    removed: null,
    hasBearer: false,
  };
}

async function fromBearer(deps: Deps, token: string): Promise<ResolvedAuth> {
  const nobody = { ...NOBODY, hasBearer: true };
  if (token === "") return nobody;
  const digest = tokenDigest(token);
  if (isAdminToken(deps, digest)) {
    return { ...nobody, auth: { kind: "admin" }, credential: "admin" };
  }
  const bearer = await findBearer(deps.db, digest);
  if (bearer === null || bearer.state === "revoked") return nobody;
  if (bearer.state === "removed") {
    return { ...nobody, removed: { id: bearer.workspaceId, removedAt: bearer.removedAt } };
  }
  if (bearer.isTouchDue) note(deps, touchToken(deps.db, bearer.tokenId));
  const { workspaceId, workspaceName, attemptNo, tokenKind, tokenId } = bearer;
  return {
    auth: {
      kind: "workspace",
      workspaceId,
      workspaceName,
      attemptNo,
      tokenKind,
      tokenId,
      isSuperseded: bearer.state === "superseded",
    },
    credential: `token:${tokenId}`,
    removed: null,
    hasBearer: true,
  };
}

function isAdminToken(deps: Deps, digest: Uint8Array): boolean {
  const { adminToken } = deps.platform;
  return adminToken !== null && timingSafeEqual(tokenDigest(adminToken), digest);
}

/** The last use is a courtesy: its failure is logged and fails nothing. */
function note(deps: Deps, touch: Promise<void>): void {
  touch.catch((err: unknown) => deps.log.warn({ err }, "the last use was not noted"));
}
