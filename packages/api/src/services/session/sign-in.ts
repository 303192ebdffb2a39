import { randomBytes } from "node:crypto";
import { exchangeSignInLink, type SessionMember } from "@molecule/db/sessions/sign-in-links";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import type { Deps } from "../../deps.ts";

/** A session that was just opened. `secret` is the cookie's value and is stored nowhere. */
export interface SignedIn {
  readonly member: SessionMember;
  readonly secret: string;
}

/** Uses a sign-in link up and opens a session; null when the link is unknown, used or too old. */
export async function signIn(deps: Deps, linkToken: string): Promise<SignedIn | null> {
  const secret = randomBytes(32).toString("base64url");
  const member = await deps.db.transaction((tx) =>
    exchangeSignInLink(tx, {
      linkSha256: tokenDigest(linkToken),
      sessionSha256: tokenDigest(secret),
    }),
  );
  return member === null ? null : { member, secret };
}
