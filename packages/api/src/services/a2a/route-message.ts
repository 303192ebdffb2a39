import { removedError } from "@molecule/db/lifecycle/lock-workspace";
import { setIntent } from "@molecule/db/lifecycle/set-intent";
import { loadTarget, type Target } from "@molecule/db/registry/targets";
import { deliveryOf } from "@molecule/domain/delivery";
import { DomainError } from "@molecule/domain/errors";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { agentAddressOf } from "../../a2a/agent-address.ts";
import type { AgentAddress } from "../../adapters/agent-connection.ts";
import type { Deps } from "../../deps.ts";

/** How a call reaches its target now. */
export type MessageRoute =
  | { readonly kind: "dispatch"; readonly address: AgentAddress }
  | { readonly kind: "queue" }
  | { readonly kind: "poll" };

/** The workspace a call is for. @throws DomainError `not_found`, `removed`. */
export async function requireTarget(deps: Deps, workspaceId: string): Promise<Target> {
  const target = await loadTarget(deps.db, workspaceId);
  if (target === null) throw new DomainError("not_found", "There is no such workspace.");
  if (target.status === "removed") throw removedError(target.id, target.removedAt);
  return target;
}

/**
 * Decides how the target is reached; a sleeping one is woken and the sender asked to come again.
 * @throws DomainError `workspace_unreachable` (details: `status`, or `waking` and `retry_after`).
 */
export async function routeMessage(deps: Deps, target: Target): Promise<MessageRoute> {
  const address = agentAddressOf(target);
  const how = deliveryOf({ ...target, hasAddress: address !== null });
  switch (how.kind) {
    case "refuse":
      throw refusal(target, how.why);
    case "wake":
      throw await wake(deps, target);
    case "dispatch":
      return address === null ? { kind: "queue" } : { kind: "dispatch", address };
    case "queue":
    case "poll":
      return how;
  }
}

function refusal(target: Target, why: "removed" | "paused" | "failed" | "no_address"): DomainError {
  const details = { status: target.status };
  switch (why) {
    case "removed":
      return removedError(target.id, target.removedAt);
    case "paused":
      return new DomainError("workspace_unreachable", `${target.name} is paused.`, {
        next: "Resume it, then send the message again.",
        details,
      });
    case "failed":
      return new DomainError("workspace_unreachable", `${target.name} could not be started.`, {
        next: "Look at its card for the cause, then press Retry.",
        details,
      });
    case "no_address":
      return new DomainError("workspace_unreachable", `${target.name} has not said where it is.`, {
        next: "Connect the agent; it registers its url.",
        details,
      });
  }
}

async function wake(deps: Deps, target: Target): Promise<DomainError> {
  await deps.db.transaction((tx) =>
    setIntent(tx, { workspaceId: target.id, actor: PLATFORM_ACTOR, to: "resume" }),
  );
  return new DomainError("workspace_unreachable", `${target.name} was asleep and is waking up.`, {
    next: "Send the message again in 15 seconds.",
    details: { waking: true, retry_after: 15 },
  });
}
