import { exchangeBootToken } from "@molecule/db/tokens/boot-token-rows";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../../deps.ts";

/** What a booting machine presents. */
export interface BootTokenCall {
  readonly workspaceId: string;
  readonly token: string;
  /** How it names its exchange; null: then there is no second answer. */
  readonly exchangeId: string | null;
}

/**
 * The token of the attempt for its boot token, once. What was told of a refusal is committed before it is
 * refused. SPEC: BT1 to BT5. @throws DomainError `unauthenticated`, `superseded`.
 */
export async function useBootToken(
  { db, tokenKey }: Pick<Deps, "db" | "tokenKey">,
  { workspaceId, token, exchangeId }: BootTokenCall,
): Promise<{ readonly token: string; readonly attemptNo: number }> {
  const exchanged = await db.transaction((tx) =>
    exchangeBootToken(tx, tokenKey, {
      workspaceId,
      tokenSha256: tokenDigest(token),
      exchangeSha256: exchangeId === null ? null : tokenDigest(exchangeId),
    }),
  );
  switch (exchanged.kind) {
    case "accepted":
      return { token: exchanged.token.token, attemptNo: exchanged.attemptNo };
    case "unknown":
      throw new DomainError("unauthenticated", "This boot token is not valid.");
    case "refused":
      throw refusal(exchanged.why);
  }
}

function refusal(why: "used" | "expired" | "superseded"): DomainError {
  switch (why) {
    case "used":
      return new DomainError("unauthenticated", "This boot token has been used already.", {
        next: "Restart the workspace: its next machine gets a token of its own.",
        details: { boot_token: "used" },
      });
    case "expired":
      return new DomainError("unauthenticated", "The time of this boot token is over.", {
        next: "Restart the workspace: its next machine gets a token of its own.",
        details: { boot_token: "expired" },
      });
    case "superseded":
      return new DomainError("superseded", "A newer start of this workspace has taken over.", {
        next: "Stop this instance; the newer one is running.",
        details: { superseded: true },
      });
  }
}
