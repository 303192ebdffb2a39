import type { Transaction } from "@molecule/db/database";
import { removedError } from "@molecule/db/lifecycle/lock-workspace";
import { setIntent } from "@molecule/db/lifecycle/set-intent";
import { loadTarget, type Target } from "@molecule/db/registry/targets";
import { deliveryOf } from "@molecule/domain/delivery";
import { DomainError } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import { agentAddressOf } from "../../a2a/agent-address.ts";
import type { AgentAddress } from "../../adapters/agent-line.ts";
import type { Deps } from "../../deps.ts";
import type { Caller } from "./deliver-and-answer.ts";

/** How a call reaches its target now. */
export type MessageRoute =
  | { readonly kind: "dispatch"; readonly address: AgentAddress }
  | { readonly kind: "queue" }
  | { readonly kind: "poll" }
  /** It sleeps: the message is kept, the workspace woken, the sender asked to come again. */
  | { readonly kind: "wake" };

/** The workspace a call is for. @throws DomainError `not_found`, `removed`. */
export async function requireTarget(deps: Pick<Deps, "db">, workspaceId: string): Promise<Target> {
  const target = await loadTarget(deps.db, workspaceId);
  if (target === null) throw new DomainError("not_found", "There is no such workspace.");
  if (target.status === "removed") throw removedError(target.id, target.removedAt);
  return target;
}

/**
 * Decides how the target is reached now. Changes nothing.
 * @throws DomainError `workspace_unreachable` (details: `status`).
 */
export function routeMessage(target: Target): MessageRoute {
  const address = agentAddressOf(target);
  const how = deliveryOf({ ...target, hasAddress: address !== null });
  switch (how.kind) {
    case "refuse":
      throw refusal(target, how.why);
    case "dispatch":
      return address === null ? { kind: "queue" } : { kind: "dispatch", address };
    case "queue":
    case "poll":
    case "wake":
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

/** Starts a sleeping workspace for a message of this sender. @throws DomainError `conflict`. */
export async function wake(tx: Transaction, target: Target, caller: Caller): Promise<void> {
  const actor: Actor =
    caller.kind === "workspace"
      ? { kind: "workspace", id: caller.id, name: caller.name }
      : { kind: "member", name: caller.name };
  await setIntent(tx, { workspaceId: target.id, actor, to: "wake" });
}

/** What the sender is told. `kept`: its message, delivered by itself. Source: contract §6.3. */
export function wakingError(target: Target, kept: { readonly id: string } | null): DomainError {
  return new DomainError("workspace_unreachable", `${target.name} was asleep and is waking up.`, {
    next:
      kept === null
        ? "Call again in 15 seconds."
        : "The message is kept and delivered once it is awake; sending it again changes nothing.",
    details: {
      waking: true,
      retry_after: 15,
      ...(kept === null ? {} : { queued: true, queue_id: kept.id }),
    },
  });
}
