import { setIntent } from "@molecule/db/lifecycle/set-intent";
import { dropNotes } from "@molecule/db/lifecycle/tell-restart";
import {
  type Claimed,
  claimDueItem,
  markSending,
  type QueueItem,
  returnToQueue,
  wakeQueue,
} from "@molecule/db/queue/a2a-queue";
import { endDelivery } from "@molecule/db/queue/end-delivery";
import { markSilentExternals } from "@molecule/db/registry/liveness";
import { loadTarget, type Target } from "@molecule/db/registry/targets";
import { deliveryOf } from "@molecule/domain/delivery";
import { attemptOfRestartContext } from "@molecule/domain/restart-context";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { agentAddressOf } from "../a2a/agent-address.ts";
import type { DeliveryTools } from "../a2a/delivery.ts";
import type { Dispatcher } from "../a2a/dispatcher.ts";
import { readEnvelope } from "../a2a/envelope.ts";
import { hasKeptFiles } from "../services/a2a/carry-files.ts";
import { carryAndDeliver } from "./carry-and-deliver.ts";
import { recoverAnswer } from "./recover-answer.ts";

/** Pause before an item whose target cannot take it is looked at again; being ready wakes it earlier. */
const NOT_READY_PAUSE_MS = 5_000;
const NEEDS_A_PERSON_PAUSE_MS = 30_000;
/** How often silent external agents are looked for. */
const SILENCE_LOOK_MS = 15_000;

interface DrainOptions {
  readonly pollMs: number;
  /** Called after every pass that came to its end. */
  readonly onPass: () => void;
}

/**
 * Takes waiting messages to their targets and finds those whose deliverer vanished. The poll is the
 * guarantee; `poke` only shortens the wait. Passes never overlap; an error ends the pass, not the loop.
 */
export class DrainLoop {
  readonly #tools: DeliveryTools;
  readonly #dispatcher: Pick<Dispatcher, "lease" | "deliver" | "hold" | "running">;
  readonly #timer: NodeJS.Timeout;
  readonly #onPass: () => void;
  #pass: Promise<void> | null = null;
  #isPoked = false;
  #isStopped = false;
  #silenceLookedAt = performance.now();

  constructor(
    tools: DeliveryTools,
    dispatcher: Pick<Dispatcher, "lease" | "deliver" | "hold" | "running">,
    { pollMs, onPass }: DrainOptions,
  ) {
    this.#onPass = onPass;
    this.#tools = tools;
    this.#dispatcher = dispatcher;
    this.#timer = setInterval(() => this.poke(), pollMs);
    this.#timer.unref();
  }

  poke(): void {
    this.#isPoked = true;
    if (this.#pass !== null || this.#isStopped) return;
    this.#pass = this.#run().finally(() => {
      this.#pass = null;
      if (this.#isPoked) this.poke();
    });
  }

  /** No claim happens after it resolves. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#pass;
  }

  async #run(): Promise<void> {
    this.#isPoked = false;
    try {
      await this.#lookForSilence();
      while (!this.#isStopped) {
        const claimed = await claimDueItem(this.#tools.db, this.#dispatcher.lease);
        if (claimed === null) break;
        await this.#handle(claimed);
      }
      this.#onPass();
    } catch (err) {
      this.#tools.log.warn(
        { err },
        "looking for waiting messages failed; the next pass tries again",
      );
    }
  }

  async #lookForSilence(): Promise<void> {
    if (performance.now() - this.#silenceLookedAt < SILENCE_LOOK_MS) return;
    this.#silenceLookedAt = performance.now();
    await this.#tools.db.transaction((tx) => markSilentExternals(tx));
  }

  async #handle(claimed: Claimed): Promise<void> {
    const { item } = claimed;
    // Ours after all: its lease ran out while the database was away.
    if (this.#dispatcher.running(item.id) !== undefined) return;
    if (item.isInbox) {
      await this.#closeTask(item);
      return;
    }
    if (claimed.kind === "expired") {
      await this.#giveUp(
        item,
        "It was not delivered within 24 hours, because the agent was not there.",
      );
      return;
    }
    const target = await loadTarget(this.#tools.db, item.workspaceId);
    const noteOf = attemptOfRestartContext(item.idempotencyKey);
    if (noteOf !== null && (target?.currentAttempt !== noteOf || target.intent !== "run")) {
      await this.#takeBack(item);
      return;
    }
    if (claimed.kind === "orphaned" && noteOf === null) {
      const work = (stop: AbortSignal) => recoverAnswer(this.#tools, { item, target }, stop);
      // Its end is stored by the work itself; the loop goes on meanwhile.
      this.#dispatcher.hold(item.id, work).catch(() => undefined);
      return;
    }
    if (target === null || target.status === "removed") {
      await this.#giveUp(item, "The agent was removed before the message could be delivered.");
      return;
    }
    await this.#deliver(item, target);
  }

  async #deliver(item: QueueItem, target: Target): Promise<void> {
    const address = agentAddressOf(target);
    const how = deliveryOf({ ...target, hasAddress: address !== null });
    if (how.kind !== "dispatch" || address === null) {
      const afterMs =
        how.kind === "queue" || how.kind === "wake" ? NOT_READY_PAUSE_MS : NEEDS_A_PERSON_PAUSE_MS;
      const back = { afterMs, countsAsDelivery: false, why: null };
      const to = { workspaceId: target.id, actor: PLATFORM_ACTOR, to: "wake" } as const;
      await this.#tools.db.transaction(async (tx) => {
        // It fell asleep before its messages had reached it.
        if (how.kind === "wake") await setIntent(tx, to);
        await returnToQueue(tx, this.#held(item), back);
      });
      await this.#wakeIfReady(target.id);
      return;
    }
    const isNote = attemptOfRestartContext(item.idempotencyKey) !== null;
    const { body, wantsStream } = readEnvelope(item.body);
    const job = {
      id: item.id,
      target,
      address,
      callerId: item.callerId,
      envelope: body,
      wantsStream,
      isRepeatable: isNote,
      isFromQueue: true,
    };
    if (hasKeptFiles({ callerId: item.callerId, body }, target.id)) {
      const work = (stop: AbortSignal) => carryAndDeliver(this.#tools, job, stop);
      this.#dispatcher.hold(item.id, work).catch(() => undefined);
      return;
    }
    const held = { ...this.#held(item), workspaceId: item.workspaceId, isNote };
    const isOurs = await this.#tools.db.transaction((tx) => markSending(tx, held));
    if (!isOurs) return;
    // Its end is stored by the delivery itself; the loop goes on meanwhile.
    this.#dispatcher.deliver(job).catch(() => undefined);
  }

  /**
   * It may have become ready between the look at it and the message's being put back, and whoever made it
   * ready found nothing to wake then. SPEC: P12.
   */
  async #wakeIfReady(workspaceId: string): Promise<void> {
    const target = await loadTarget(this.#tools.db, workspaceId);
    if (target === null) return;
    const hasAddress = agentAddressOf(target) !== null;
    if (deliveryOf({ ...target, hasAddress }).kind !== "dispatch" || !hasAddress) return;
    await wakeQueue(this.#tools.db, workspaceId);
  }

  /** A note for an agent that is not there any more; its successor is told. SPEC: C6. */
  async #takeBack(item: QueueItem): Promise<void> {
    const back = { afterMs: 0, countsAsDelivery: false, why: null };
    await this.#tools.db.transaction(async (tx) => {
      await returnToQueue(tx, this.#held(item), back);
      await dropNotes(tx, { workspaceId: item.workspaceId, except: null });
    });
  }

  /** A task of an inbox whose time is over, or whose agent was removed. SPEC: DG6. */
  async #closeTask(item: QueueItem): Promise<void> {
    const target = await loadTarget(this.#tools.db, item.workspaceId);
    const isGone = target === null || target.status === "removed";
    const name = target?.name ?? "The agent";
    await this.#giveUp(
      item,
      isGone ? `${name} was removed before it answered.` : `${name} did not answer in 24 hours.`,
    );
  }

  async #giveUp(item: QueueItem, sentence: string): Promise<void> {
    await this.#tools.db.transaction((tx) =>
      endDelivery(tx, this.#held(item), {
        status: "error",
        responseBody: null,
        toolTrace: null,
        errorDetail: sentence,
        durationMs: null,
        wasNeverSent: item.dispatchedAt === null,
        isForPerson: item.callerId === null,
      }),
    );
  }

  #held(item: QueueItem): { readonly id: string; readonly owner: string } {
    return { id: item.id, owner: this.#tools.owner };
  }
}
