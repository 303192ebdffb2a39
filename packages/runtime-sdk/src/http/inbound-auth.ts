import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import type { CredentialFiles } from "../credential-files.ts";

/** What a guarded route does while there is no inbound secret. */
export type WithoutSecret = "refuse" | "accept";

/**
 * Lets a request pass when its bearer is the workspace's inbound secret. While the secret's file is
 * missing, file routes refuse (wire contract §9.2: fail closed) and the agent's own route accepts; a
 * file that cannot be read refuses both.
 */
export function inboundAuth(
  credentials: CredentialFiles,
  withoutSecret: WithoutSecret,
): RequestHandler {
  return async (req, res, next) => {
    const secret = await credentials.inboundSecret().then(
      (value) => ({ value }),
      () => undefined,
    );
    const isAllowed =
      secret !== undefined &&
      (secret.value === undefined
        ? withoutSecret === "accept"
        : isSame(bearerOf(req.headers.authorization), secret.value));
    if (isAllowed) next();
    else res.status(401).json({ error: "This agent accepts requests from its platform only." });
  };
}

function bearerOf(header: string | undefined): string {
  return header?.startsWith("Bearer ") === true ? header.slice("Bearer ".length).trim() : "";
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
