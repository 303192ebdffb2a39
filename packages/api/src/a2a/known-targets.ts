import type { Target } from "@molecule/db/registry/targets";

/** Targets that are remembered; whoever is forgotten is read again with the next message. */
const MAX_KNOWN = 1_000;

/**
 * Targets as they were when the last message for them was accepted. Nothing may be decided by one for
 * good: the statement that accepts the next message holds its fingerprint against the rows.
 */
export class KnownTargets {
  readonly #byId = new Map<string, Target>();

  recall(workspaceId: string): Target | null {
    return this.#byId.get(workspaceId) ?? null;
  }

  remember(target: Target): void {
    this.#byId.delete(target.id);
    if (this.#byId.size >= MAX_KNOWN) {
      const [oldest] = this.#byId.keys();
      if (oldest !== undefined) this.#byId.delete(oldest);
    }
    this.#byId.set(target.id, target);
  }

  forget(workspaceId: string): void {
    this.#byId.delete(workspaceId);
  }
}
