import { createHash, createHmac } from "node:crypto";
import { BOOT_TOKEN_MARK } from "@molecule/domain/boot-token";
import type { AttemptTokenInput } from "./attempt-token.ts";

/** A boot token: `token` goes to the machine, `sha256` into the database. */
export interface BootToken {
  readonly token: string;
  readonly sha256: Uint8Array;
}

/**
 * The boot token of one attempt. Derived, so that a creation that is repeated asks for exactly the same
 * machine; a cloud that takes a call once refuses another user data under the same client token.
 */
export function bootToken(tokenKey: Uint8Array, input: AttemptTokenInput): BootToken {
  const mac = createHmac("sha256", tokenKey)
    .update(`boot-token|${input.workspaceId}|${input.attemptNo}|${input.createToken}`)
    .digest("base64url");
  const token = `${BOOT_TOKEN_MARK}${mac}`;
  return { token, sha256: new Uint8Array(createHash("sha256").update(token).digest()) };
}
