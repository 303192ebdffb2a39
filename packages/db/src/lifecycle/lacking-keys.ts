import type { PublicFailure } from "@molecule/domain/errors";
import { type KeyNeed, requiredKeys, unmetNeeds } from "@molecule/domain/model-offer";
import type { Transaction } from "../database.ts";
import type { SecretCipher } from "../secrets/cipher.ts";
import { loadWorkspaceEnv } from "../secrets/workspace-env.ts";
import type { WorkspaceRow } from "./held-workspace.ts";

/**
 * Why a workspace cannot start as it is: a key that its provider and model need is not set, or one cannot
 * be read. Null when it can. SPEC: M7.
 */
export async function lackingKeys(
  tx: Transaction,
  cipher: SecretCipher,
  { id, config }: Pick<WorkspaceRow, "id" | "config">,
): Promise<PublicFailure | null> {
  const { env, unreadable } = await loadWorkspaceEnv(tx, cipher, id);
  if (unreadable.length > 0) return unreadableSecrets(unreadable.map(keyOf));
  const unmet = unmetNeeds(requiredKeys(config), (key) => (env[key] ?? "") !== "");
  return unmet.length > 0 ? missingKeys(unmet) : null;
}

/** `workspace:KEY` and `global:KEY` as a person knows them. */
function keyOf(scoped: string): string {
  return scoped.slice(scoped.indexOf(":") + 1);
}

function missingKeys(unmet: readonly KeyNeed[]): PublicFailure {
  const missing = unmet.map((need) => need.join(" or "));
  const list = missing.join(", ");
  return {
    code: "missing_required_key",
    sentence:
      missing.length === 1
        ? `The key ${list} is not set, and this agent cannot start without it.`
        : `The keys ${list} are not set, and this agent cannot start without them.`,
    next: `Enter ${list} under Configure; the agent then starts by itself.`,
    // Of several of which one is enough, the first: it is what a field is offered for.
    missing: unmet.flatMap(([key]) => key ?? []),
  };
}

/** One sentence whatever the cause: it tells neither the key nor how the value was sealed. SPEC: SE6. */
function unreadableSecrets(keys: readonly string[]): PublicFailure {
  return {
    code: "secret_unreadable",
    sentence: "A stored secret of this agent cannot be read and has to be entered again.",
    next: "Enter what is marked so under Configure; the agent then starts by itself.",
    missing: [...keys],
  };
}
