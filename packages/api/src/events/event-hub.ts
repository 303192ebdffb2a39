import type { StreamEvent } from "@molecule/contracts/events";
import { comparePositions, type Position } from "@molecule/db/events/read-events";
import { loadNodes } from "@molecule/db/nodes/load-nodes";
import { listParents } from "@molecule/db/workspaces/hierarchy";
import { canCommunicate } from "@molecule/domain/access";
import type { EventType } from "@molecule/domain/sets";
import type { Deps } from "../deps.ts";
import { toMessages } from "./batch-messages.ts";
import { EventTail } from "./event-tail.ts";
import { type StreamMessage, toMessage } from "./stream-message.ts";

/** Somebody who follows the stream. */
export interface Subscriber {
  /** The workspace it speaks for, which limits what it sees; null for members and the admin token. */
  readonly workspaceId: string | null;
  /** Takes one message; must not throw. */
  deliver(message: StreamMessage): void;
}

/** Events outside the log that change what a card shows, so that they carry the node. */
const LIVE_WITH_NODE: readonly EventType[] = ["TASK_UPDATED"];
/** Live events are handed out together this often. */
const LIVE_GATHER_MS = 50;

/**
 * Hands the log and the live-only events of this process to every subscriber. Each event is serialised
 * once; a subscriber that speaks for a workspace gets only what that workspace may see.
 */
export class EventHub {
  readonly #deps: Deps;
  readonly #subscribers = new Set<Subscriber>();
  #tail: EventTail | null = null;
  #live: StreamEvent[] = [];
  #liveTimer: NodeJS.Timeout | null = null;
  #flush: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => undefined;

  private constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Resolves when it follows the log. */
  static async start(deps: Deps, options: { readonly pollMs?: number } = {}): Promise<EventHub> {
    const hub = new EventHub(deps);
    hub.#tail = await EventTail.start({
      db: deps.db,
      log: deps.log,
      pulse: deps.pulse,
      ...options,
      onBatch: async (batch) => {
        if (hub.#subscribers.size > 0) await hub.#handOut(await toMessages(deps, batch));
      },
    });
    hub.#unsubscribe = deps.live.subscribe((event) => hub.#gather(event));
    return hub;
  }

  /** What every subscriber has been handed so far. */
  get position(): Position {
    if (this.#tail === null) throw new Error("invariant: a started hub has a tail");
    return this.#tail.position;
  }

  /** Adds a follower; the returned function removes it. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => {
      this.#subscribers.delete(subscriber);
    };
  }

  /** Nothing is delivered after it resolves. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    if (this.#liveTimer !== null) clearTimeout(this.#liveTimer);
    await this.#tail?.stop();
    await this.#flush;
    this.#subscribers.clear();
  }

  async #handOut(messages: readonly StreamMessage[]): Promise<void> {
    const isFiltered = [...this.#subscribers].some((one) => one.workspaceId !== null);
    const mayRead = isFiltered ? await this.#readerOf() : () => true;
    for (const message of messages) {
      for (const subscriber of this.#subscribers) {
        const { workspaceId } = subscriber;
        if (workspaceId === null || mayRead(workspaceId, message.workspaceId)) {
          subscriber.deliver(message);
        }
      }
    }
  }

  /** Whether a workspace may see the events of another, by the hierarchy of now. */
  async #readerOf(): Promise<(reader: string, subject: string) => boolean> {
    return communicates(await listParents(this.#deps.db));
  }

  #gather(event: StreamEvent): void {
    if (this.#subscribers.size === 0) return;
    this.#live.push(event);
    this.#liveTimer ??= setTimeout(() => {
      this.#liveTimer = null;
      const events = this.#live;
      this.#live = [];
      this.#flush = this.#flush
        .then(() => this.#handOutLive(events))
        .catch((err: unknown) => this.#deps.log.warn({ err }, "live events were not handed out"));
    }, LIVE_GATHER_MS);
  }

  async #handOutLive(events: readonly StreamEvent[]): Promise<void> {
    const needing = events.filter((event) => LIVE_WITH_NODE.includes(event.event));
    const ids = [...new Set(needing.map((event) => event.workspace_id))];
    const { db, platform } = this.#deps;
    const nodes = await loadNodes(db, { ids, settle: platform.settle });
    const byId = new Map(nodes.map((node) => [node.id, node]));
    await this.#handOut(
      events.map((event) => {
        const node = needing.includes(event) ? byId.get(event.workspace_id) : undefined;
        return toMessage(node === undefined ? event : { ...event, node }, null);
      }),
    );
  }
}

/** Who may see whose events. An event about nobody is for members only. */
export function communicates(
  parents: ReadonlyMap<string, string | null>,
): (reader: string, subject: string) => boolean {
  return (reader, subject) => {
    const own = parents.get(reader);
    const other = parents.get(subject);
    if (own === undefined || other === undefined) return false;
    const caller = { id: reader, parentId: own };
    const target = { id: subject, parentId: other };
    return canCommunicate(caller, target, (id) => parents.get(id));
  };
}

/** True when `position` is not past `reached`. */
export function isSeen(position: Position | null, reached: Position): boolean {
  return position !== null && comparePositions(position, reached) <= 0;
}
