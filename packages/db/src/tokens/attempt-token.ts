import { createHash, createHmac } from "node:crypto";

/** What an attempt's token is derived from. */
export interface AttemptTokenInput {
  readonly workspaceId: string;
  readonly attemptNo: number;
  /** `attempts.create_token`: new for every attempt. */
  readonly createToken: string;
}

/** A bearer of a workspace in the forms that are used. */
export interface AttemptToken {
  /** The bearer itself: written into the instance, never stored or logged. */
  readonly token: string;
  /** What the database keeps. */
  readonly sha256: Uint8Array;
  /** First characters, to recognise it in a list. */
  readonly prefix: string;
}

/**
 * The bearer of one attempt. Derived, not drawn, so that a worker that takes over after a crash
 * writes the same file again. `tokenKey` is the 32 bytes kept for this alone.
 */
export function attemptToken(tokenKey: Uint8Array, input: AttemptTokenInput): AttemptToken {
  const mac = createHmac("sha256", tokenKey)
    .update(`attempt-token|${input.workspaceId}|${input.attemptNo}|${input.createToken}`)
    .digest("base64url");
  const token = `wst_${mac}`;
  return {
    token,
    sha256: new Uint8Array(createHash("sha256").update(token).digest()),
    prefix: token.slice(0, 12),
  };
}
