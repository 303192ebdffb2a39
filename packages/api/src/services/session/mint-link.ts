import { randomBytes } from "node:crypto";
import { ensureOwner } from "@molecule/db/members/ensure-owner";
import { addSignInLink } from "@molecule/db/sessions/sign-in-links";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import { SIGN_IN_LINK_SECONDS } from "@molecule/domain/sessions";
import type { Deps } from "../../deps.ts";

/** A fresh sign-in link. It works once; its token is stored as a digest only. */
export interface MintedLink {
  readonly url: string;
  /** Seconds until it expires. */
  readonly expiresInSeconds: number;
}

/** Makes a link that signs the owner in. */
export async function mintLink(deps: Deps): Promise<MintedLink> {
  const token = randomBytes(32).toString("base64url");
  await deps.db.transaction(async (tx) => {
    const { id } = await ensureOwner(tx);
    await addSignInLink(tx, { tokenSha256: tokenDigest(token), memberId: id });
  });
  return {
    url: `${deps.platform.publicUrl}/sign-in?token=${token}`,
    expiresInSeconds: SIGN_IN_LINK_SECONDS,
  };
}
