import { recordHostKey } from "@molecule/db/lifecycle/machine-facts";
import { DomainError } from "@molecule/domain/errors";
import { parseHostKey } from "@molecule/domain/host-keys";
import type { Deps } from "../../deps.ts";
import type { AgentIdentity } from "./register-agent.ts";

/** A machine that asks again a moment later finds its row: it is written right after it was made. */
const RETRY_AFTER_SECONDS = 2;

/**
 * Keeps the SSH host key that a machine tells on its first boot. SPEC: MR5.
 * @throws DomainError `bad_request`, `not_found` (not recorded yet), `conflict` (another key).
 */
export async function noteMachine(
  { db, log }: Pick<Deps, "db" | "log">,
  { workspaceId, attemptNo }: AgentIdentity,
  told: { readonly ssh_host_key: string },
): Promise<{ readonly status: "noted" }> {
  const key = parseHostKey(told.ssh_host_key);
  if (key === null) {
    throw new DomainError("bad_request", "The field “ssh_host_key” is no public key of a host.", {
      details: { field: "ssh_host_key" },
    });
  }
  const of = { workspaceId, attemptNo: attemptNo ?? 0 };
  const noted = await db.transaction((tx) => recordHostKey(tx, of, `${key.type} ${key.data}`));
  switch (noted) {
    case "stored":
    case "same":
      return { status: "noted" };
    case "unknown":
      throw new DomainError("not_found", "There is no machine of this attempt (yet).", {
        details: { retry_after: RETRY_AFTER_SECONDS },
      });
    case "other":
      log.warn({ ...of }, "a machine told another SSH host key than before");
      throw new DomainError("conflict", "This machine has told another host key before.", {
        next: "Restart the workspace on a new machine.",
      });
  }
}
