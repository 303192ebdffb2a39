import type { PanelStore } from "../state/panel-state.ts";
import { type LocalTurn, newTurn, retriedTurn } from "./model/turn.ts";
import { sendMessage, type TurnProgress } from "./send-message.ts";

/** Shortest time between two changes of one reply on screen. */
const FRAME_MS = 40;

/**
 * Sends messages and follows their replies, also while no panel is open.
 *
 * A turn enters as `sending` and leaves through one of `queued`, `waiting`, `failed` and `done`.
 * Progress reaches the store at most once per {@link FRAME_MS}; the last one always does. After
 * {@link stop} nothing is written any more; the platform goes on with what it has.
 */
export class ChatSender {
  readonly #store: PanelStore;
  readonly #fetch: typeof fetch;
  readonly #open = new Map<string, AbortController>();
  #isStopped = false;

  constructor(store: PanelStore, fetchIt: typeof fetch) {
    this.#store = store;
    this.#fetch = fetchIt;
  }

  /** Sends a new message; it is in the thread before this returns. */
  send(workspaceId: string, text: string): void {
    const turn = newTurn(crypto.randomUUID(), text);
    this.#store.getState().update(workspaceId, (memory) => ({
      ...memory,
      turns: [...memory.turns, turn],
    }));
    this.#follow(workspaceId, turn);
  }

  /** Sends a failed message again under its id, so that it can never arrive twice. */
  retry(workspaceId: string, messageId: string): void {
    const turn = this.#turn(workspaceId, messageId);
    if (turn === undefined || this.#open.has(messageId)) return;
    const again = retriedTurn(turn);
    this.#put(workspaceId, again);
    this.#follow(workspaceId, again);
  }

  /** Takes messages out of the thread, open or not. */
  forget(workspaceId: string, messageIds: readonly string[]): void {
    if (messageIds.length === 0) return;
    for (const id of messageIds) {
      this.#open.get(id)?.abort();
      this.#open.delete(id);
    }
    this.#store.getState().update(workspaceId, (memory) => ({
      ...memory,
      turns: memory.turns.filter((turn) => !messageIds.includes(turn.messageId)),
    }));
  }

  /** Ends every open request. */
  stop(): void {
    this.#isStopped = true;
    for (const controller of this.#open.values()) controller.abort();
    this.#open.clear();
  }

  #follow(workspaceId: string, turn: LocalTurn): void {
    const controller = new AbortController();
    this.#open.set(turn.messageId, controller);
    let latest: TurnProgress | null = null;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const write = () => {
      timer = null;
      if (latest === null || this.#isStopped || controller.signal.aborted) return;
      const known = this.#turn(workspaceId, turn.messageId);
      if (known !== undefined) this.#put(workspaceId, { ...known, ...latest });
    };
    const onProgress = (progress: TurnProgress) => {
      latest = progress;
      timer ??= setTimeout(write, FRAME_MS);
    };
    // Never rejects: what went wrong is a progress.
    void sendMessage(this.#fetch, {
      workspaceId,
      messageId: turn.messageId,
      text: turn.text,
      signal: controller.signal,
      onProgress,
    }).then(() => {
      if (timer !== null) clearTimeout(timer);
      write();
      if (this.#open.get(turn.messageId) === controller) this.#open.delete(turn.messageId);
    });
  }

  #turn(workspaceId: string, messageId: string): LocalTurn | undefined {
    const state = this.#store.getState().byWorkspace[workspaceId];
    const memory = state ?? this.#store.load(workspaceId);
    return memory.turns.find((turn) => turn.messageId === messageId);
  }

  #put(workspaceId: string, turn: LocalTurn): void {
    this.#store.getState().update(workspaceId, (memory) => ({
      ...memory,
      turns: memory.turns.map((known) => (known.messageId === turn.messageId ? turn : known)),
    }));
  }
}
