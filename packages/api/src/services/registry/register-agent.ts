import type { RegisterBody } from "@molecule/contracts/wire";
import { appendEvent } from "@molecule/db/events/append-event";
import { markRegistered } from "@molecule/db/lifecycle/mark-registered";
import { wakeQueue } from "@molecule/db/queue/a2a-queue";
import { storeRegistration } from "@molecule/db/registry/cards";
import { recordBeat } from "@molecule/db/registry/liveness";
import { loadTarget, type Target } from "@molecule/db/registry/targets";
import { ensureInboundSecret } from "@molecule/db/secrets/inbound-secret";
import { DomainError } from "@molecule/domain/errors";
import type { DeliveryMode } from "@molecule/domain/sets";
import { checkAgentUrl, resolveAll } from "../../adapters/public-address.ts";
import type { Deps } from "../../deps.ts";
import { noteReach } from "./note-reach.ts";

/** The token an agent registers with. */
export interface AgentIdentity {
  readonly workspaceId: string;
  /** Null for tokens that speak for no attempt. */
  readonly attemptNo: number | null;
}

/** What a registering agent learns. Source: contract §5.1. */
export interface RegisterAnswer {
  readonly status: "registered";
  readonly platform_inbound_secret: string;
  readonly delivery_mode: DeliveryMode;
}

/** Cards larger than this are not repeated in the event. Source: architecture 5. */
const MAX_EVENT_CARD_CHARS = 16_384;

/**
 * Stores what the agent says of itself. An agent we started becomes ready with its first beat; an
 * external one is there from now on. Registering wakes, resumes and creates nothing.
 * @throws DomainError `bad_request` (an url that must not be dialled), `not_found`.
 */
export async function registerAgent(
  deps: Deps,
  identity: AgentIdentity,
  body: RegisterBody,
): Promise<RegisterAnswer> {
  const target = await loadTarget(deps.db, identity.workspaceId);
  if (target === null) throw new DomainError("not_found", "There is no such workspace.");
  const deliveryMode = await deliveryModeOf(deps, target, body);
  const { url, agent_card } = body;
  const answer = await deps.db.transaction(async (tx) => {
    await storeRegistration(tx, {
      workspaceId: target.id,
      agentCard: agent_card,
      advertisedUrl: keepsStoredUrl(target, url) ? null : url,
      deliveryMode,
    });
    if (identity.attemptNo !== null) {
      await markRegistered(tx, { workspaceId: target.id, attemptNo: identity.attemptNo });
    }
    if (target.backend === "external") {
      await recordBeat(tx, { workspaceId: target.id, attemptNo: null, isRegistration: true });
    }
    const isSmall = JSON.stringify(agent_card).length <= MAX_EVENT_CARD_CHARS;
    const card = isSmall ? { agent_card } : {};
    await appendEvent(
      tx,
      target.backend === "external"
        ? {
            event: "WORKSPACE_ONLINE",
            subjectId: target.id,
            payload: { url, delivery_mode: deliveryMode, ...card },
          }
        : { event: "AGENT_CARD_UPDATED", subjectId: target.id, payload: card },
    );
    await wakeQueue(tx, target.id);
    const { secret } = await ensureInboundSecret(tx, deps.cipher, target.id);
    return secret;
  });
  // Its first word comes before it listens, with a boot token and without an address of its own.
  if (identity.attemptNo !== null && url !== "") {
    await noteReach(deps, target, identity.attemptNo);
  }
  deps.dispatcher.poke();
  return { status: "registered", platform_inbound_secret: answer, delivery_mode: deliveryMode };
}

/** A stored loopback url of an agent we started stays. Source: contract §5.1. */
function keepsStoredUrl(target: Target, url: string): boolean {
  if (url === "") return true;
  return target.backend !== "external" && target.advertisedUrl.startsWith("http://127.0.0.1");
}

async function deliveryModeOf(
  deps: Deps,
  target: Target,
  body: RegisterBody,
): Promise<DeliveryMode> {
  if (target.backend !== "external") return "push";
  const isAddressless = body.url === "" && target.advertisedUrl === "";
  const mode = body.delivery_mode ?? (isAddressless ? "poll" : target.deliveryMode);
  if (mode === "poll") return mode;
  if (isAddressless) {
    throw new DomainError("bad_request", "The field “url” is missing: messages are pushed to it.", {
      next: "Send a url, or delivery_mode “poll”.",
      details: { field: "url" },
    });
  }
  if (body.url !== "") {
    const { allowCidrs } = deps.platform;
    await checkAgentUrl(body.url, { allowCidrs, resolve: resolveAll });
  }
  return mode;
}
