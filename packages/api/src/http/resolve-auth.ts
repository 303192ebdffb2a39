import { timingSafeEqual } from "node:crypto";
import { findSession, touchSession } from "@molecule/db/sessions/find-session";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import { findBearer, touchToken } from "@molecule/db/workspaces/find-bearer";
import type { Auth } from "../context.ts";
import type { Deps } from "../deps.ts";
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

/**
 * Who makes this request: a bearer when there is one (a wrong one never falls through to the cookie),
 * else the session cookie. Throws only when the database does.
 */
export async function resolveAuth(deps: Deps, headers: Headers): Promise<ResolvedAuth> {
  const header = headers.get("authorization") ?? "";
  if (header.startsWith("Bearer ")) return await fromBearer(deps, header.slice(7).trim());
  const cookie = readSessionCookie(headers.get("cookie"));
  if (cookie === null) return NOBODY;
  const digest = tokenDigest(cookie);
  const session = await findSession(deps.db, digest);
  if (session === null) return NOBODY;
  if (session.isTouchDue) note(deps, touchSession(deps.db, digest));
  const sessionId = Buffer.from(digest).toString("hex");
  const { member, expiresAt } = session;
  return {
    auth: { kind: "member", member, sessionId, expiresAt },
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
