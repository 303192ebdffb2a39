import { stopTrying as stopTries } from "@molecule/db/lifecycle/stop-trying";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";

/** Whether something was stopped, or was before; `message` is for the person who asked. */
export interface TriesStopped {
  readonly stopped: boolean;
  readonly message: string;
}

/** Ends the tries of an agent that waits for its next one. @throws DomainError `not_found`, `removed`. */
export async function stopTrying(deps: Deps, actor: Actor, id: string): Promise<TriesStopped> {
  const answer = await deps.db.transaction((tx) => stopTries(tx, { workspaceId: id, actor }));
  return { stopped: answer.kind !== "nothing", message: answer.sentence };
}
