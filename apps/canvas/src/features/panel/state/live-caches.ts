import type { StreamEvent } from "@molecule/contracts/events";
import type { ActivityView, ChatMessage } from "@molecule/contracts/panel";
import type { InfiniteData, QueryClient, QueryKey } from "@tanstack/react-query";
import type { Client } from "../../../trpc/client.tsx";
import { mergeRows } from "../activity/model/timeline.ts";
import { mergeMessages } from "../chat/model/thread.ts";
import { ACTIVITY_FACETS } from "./panel-state.ts";
import { activityKey, CHAT_PAGE, chatKey, facetFilter } from "./query-keys.ts";

/** One page of the chat, oldest first. */
export interface ChatPage {
  readonly messages: readonly ChatMessage[];
  readonly hasMore: boolean;
}
/** One page of the timeline, newest first. */
export interface ActivityPage {
  readonly rows: readonly ActivityView[];
  readonly hasMore: boolean;
}

/** Shortest time between two fetches of one list, however many events come. */
const REFRESH_EVERY_MS = 1_000;

/** A list whose newest page is being fetched, or was a moment ago. */
interface Refresh {
  /** An event came meanwhile: one more fetch follows. */
  isDue: boolean;
}

/**
 * Keeps chats and timelines current from the event stream.
 *
 * A list that is on screen gets its newest page again: at once for the first event, then at most once
 * per second while events come. A list that is cached but not on screen is marked stale and costs
 * nothing until it is looked at; one that nobody opened is left alone. {@link stop} ends it.
 */
export class LiveCaches {
  readonly #queryClient: QueryClient;
  readonly #client: Pick<Client, "chat" | "activity">;
  readonly #refreshes = new Map<string, Refresh>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #isStopped = false;

  constructor(queryClient: QueryClient, client: Pick<Client, "chat" | "activity">) {
    this.#queryClient = queryClient;
    this.#client = client;
  }

  /** Applies one batch of events. */
  apply(events: readonly StreamEvent[]): void {
    const rows = new Set<string>();
    const chats = new Set<string>();
    for (const event of events) {
      if (event.event !== "ACTIVITY_LOGGED") continue;
      rows.add(event.workspace_id);
      if (isOfPerson(event.payload)) chats.add(event.workspace_id);
    }
    for (const workspaceId of chats) {
      this.#refresh(chatKey(workspaceId), () => this.#fetchChat(workspaceId));
    }
    for (const workspaceId of rows) {
      for (const facet of ACTIVITY_FACETS) {
        this.#refresh(activityKey(workspaceId, facet), async () => {
          const page = await this.#client.activity.list.query({
            workspaceId,
            limit: CHAT_PAGE,
            ...facetFilter(facet),
          });
          this.#change<ActivityPage>(activityKey(workspaceId, facet), (newest) => ({
            ...newest,
            rows: mergeRows(newest.rows, page.rows),
          }));
        });
      }
    }
  }

  /** Nothing is fetched or written after this. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #fetchChat(workspaceId: string): Promise<void> {
    const page = await this.#client.chat.history.query({ workspaceId, limit: CHAT_PAGE });
    this.#change<ChatPage>(chatKey(workspaceId), (newest) => ({
      ...newest,
      messages: mergeMessages(newest.messages, page.messages),
    }));
  }

  #change<Page>(key: QueryKey, change: (newest: Page) => Page): void {
    if (this.#isStopped) return;
    this.#queryClient.setQueryData<InfiniteData<Page>>(key, (data) => {
      const newest = data?.pages[0];
      if (data === undefined || newest === undefined) return data;
      return { ...data, pages: [change(newest), ...data.pages.slice(1)] };
    });
  }

  #refresh(key: QueryKey, fetchNewest: () => Promise<void>): void {
    if (this.#isStopped) return;
    const query = this.#queryClient.getQueryCache().find({ queryKey: key });
    if (query?.state.data === undefined) return;
    if (query.getObserversCount() === 0) {
      query.invalidate();
      return;
    }
    const name = JSON.stringify(key);
    const running = this.#refreshes.get(name);
    if (running !== undefined) {
      running.isDue = true;
      return;
    }
    const refresh: Refresh = { isDue: false };
    this.#refreshes.set(name, refresh);
    // A failed fetch leaves the list as it was and marks it for the next look.
    void fetchNewest()
      .catch(() => query.invalidate())
      .finally(() => this.#rest(name, () => this.#refresh(key, fetchNewest)));
  }

  #rest(name: string, again: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const isDue = this.#refreshes.get(name)?.isDue === true;
      this.#refreshes.delete(name);
      if (isDue) again();
    }, REFRESH_EVERY_MS);
    this.#timers.add(timer);
  }
}

/** A row of a conversation with a person, not of one between agents. Source: wire contract §8.3. */
function isOfPerson(payload: StreamEvent["payload"]): boolean {
  return payload.activity_type === "a2a_receive" && (payload.source_id ?? null) === null;
}
