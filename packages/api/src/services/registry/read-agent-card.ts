import { readCard } from "@molecule/db/registry/cards";
import { DomainError } from "@molecule/domain/errors";
import type { Deps } from "../../deps.ts";

/** What the agent said of itself. @throws DomainError `not_found`. */
export async function readAgentCard(deps: Deps, workspaceId: string) {
  const stored = await readCard(deps.db, workspaceId);
  if (stored === null) throw new DomainError("not_found", "There is no such workspace.");
  return {
    card: stored.card,
    url: stored.url,
    deliveryMode: stored.deliveryMode,
    lastHeartbeatAt: stored.lastHeartbeatAt?.toISOString() ?? null,
  };
}
