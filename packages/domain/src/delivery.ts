import type { Backend, DeliveryMode, Intent, WorkspaceStatus } from "./sets.ts";

/** What decides how a message reaches a workspace. */
export interface DeliveryFacts {
  readonly status: WorkspaceStatus;
  readonly backend: Backend;
  readonly deliveryMode: DeliveryMode;
  /** The platform knows where to dial: the attempt's recorded address, or an external agent's url. */
  readonly hasAddress: boolean;
}

/** How a message for a workspace is handled right now. */
export type Delivery =
  /** Dial it. */
  | { readonly kind: "dispatch" }
  /** Keep it until the workspace can take it. */
  | { readonly kind: "queue" }
  /** Write it down; the agent comes and takes it. */
  | { readonly kind: "poll" }
  /** Refuse it and start the workspace. */
  | { readonly kind: "wake" }
  /** Refuse it: nothing will change without a person. */
  | { readonly kind: "refuse"; readonly why: "removed" | "paused" | "failed" | "no_address" };

/** Total over every combination of facts. SPEC: D1 to D6. Source: wire contract §6.3. */
export function deliveryOf(facts: DeliveryFacts): Delivery {
  switch (facts.status) {
    case "removed":
    case "paused":
    case "failed":
      return { kind: "refuse", why: facts.status };
    case "hibernating":
    case "hibernated":
      return { kind: "wake" };
    case "online":
    case "degraded":
    case "awaiting_agent":
    case "provisioning":
    case "offline":
      return facts.backend === "external" ? externalDelivery(facts) : managedDelivery(facts);
  }
}

function externalDelivery(facts: DeliveryFacts): Delivery {
  if (facts.deliveryMode === "poll") return { kind: "poll" };
  if (!facts.hasAddress) return { kind: "refuse", why: "no_address" };
  return facts.status === "awaiting_agent" ? { kind: "queue" } : { kind: "dispatch" };
}

function managedDelivery(facts: DeliveryFacts): Delivery {
  const isUp = facts.status === "online" || facts.status === "degraded";
  return isUp && facts.hasAddress ? { kind: "dispatch" } : { kind: "queue" };
}

/** Messages that an agent of ours works on at once, unless somebody says how many. */
export const DEFAULT_CONCURRENT_TASKS = 4;
/** Most that can be asked for. */
export const MAX_CONCURRENT_TASKS = 1000;

/** The limit in a template's `config.yaml`; null when it names none that can be. */
export function concurrentTasksIn(said: unknown): number | null {
  return typeof said === "number" && Number.isInteger(said) && said >= 1
    ? Math.min(said, MAX_CONCURRENT_TASKS)
    : null;
}

/** Failed deliveries after which a queued message is given up. Source: wire contract §6.7. */
export const MAX_DELIVERIES = 5;
/** How long a message waits for its target before it is given up, in hours. */
export const QUEUE_EXPIRY_HOURS = 24;
/** Silence of an agent's beats and bytes after which a dispatch counts as lost. Source: §6.4. */
export const DEFAULT_A2A_IDLE_TIMEOUT_MS = 300_000;
/** Longest dispatch for another agent. Source: §6.4. */
export const AGENT_CALL_CEILING_MS = 1_800_000;
/** Largest answer of an agent, in bytes. Source: §6.1. */
export const MAX_AGENT_RESPONSE_BYTES = 10 * 1024 * 1024;

/** The error of a turn that was cancelled while it ran. */
export const STOPPED_SENTENCE = "Stopped before it was finished.";

/** The error of a turn that ended with its agent, for whoever asked. SPEC: P6. */
export function brokenOffSentence(name: string, intent: Intent): string {
  const how = {
    run: "restarted",
    paused: "paused",
    hibernated: "put to sleep",
    deleted: "removed",
  }[intent];
  return `${name} was ${how} before this was finished. What it had done by then stays done.`;
}

/** The error of a message that a person took back while it waited. */
export function takenBackSentence(name: string): string {
  return `Taken back by ${name} before it was delivered.`;
}

/** The end of a turn was what a person wanted, so a client shows it as no failure. */
export function wasWanted(error: string): boolean {
  return error === STOPPED_SENTENCE || /^Taken back by .+ before it was delivered\.$/.test(error);
}
/** Messages that may lead to one another before the next is refused. Source: security C2 row 17. */
export const MAX_CALLS_BEHIND = 16;
