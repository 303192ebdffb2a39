import type { StreamEvent } from "@molecule/contracts/events";
import {
  type ActivityView,
  activityView,
  type ChatMessage,
  chatMessage,
} from "@molecule/contracts/panel";
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { z } from "zod";
import type { Client } from "../../../trpc/client.tsx";
import { mergeRows } from "../activity/model/timeline.ts";
import { mergeMessages } from "../chat/model/thread.ts";
import { ACTIVITY_FACETS } from "./panel-state.ts";
import { activityKey, CHAT_PAGE, chatKey, facetTypes } from "./query-keys.ts";

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

const HISTORY_EVENTS = new Set(["ACTIVITY_LOGGED", "AGENT_MESSAGE", "A2A_RESPONSE"]);

const livePayload = z.object({
  activity: activityView.optional().catch(undefined),
  messages: z.array(chatMessage).optional().catch(undefined),
});

/**
 * Keeps the cached chats and timelines current from the event stream.
 *
 * An event that carries its rows is merged and asks for nothing. One that does not leads to one
 * fetch of the newest page; events during that fetch lead to one more, never to one each. Caches
 * that nobody has opened stay untouched. {@link stop} ends it.
 */
export class LiveCaches {
  readonly #queryClient: QueryClient;
  readonly #client: Pick<Client, "chat" | "activity">;
  /** Workspaces whose newest page is being fetched; the value says that another fetch follows. */
  readonly #fetching = new Map<string, boolean>();
  #isStopped = false;

  constructor(queryClient: QueryClient, client: Pick<Client, "chat" | "activity">) {
    this.#queryClient = queryClient;
    this.#client = client;
  }

  /** Applies one batch of events. */
  apply(events: readonly StreamEvent[]): void {
    const incomplete = new Set<string>();
    for (const event of events) {
      if (!HISTORY_EVENTS.has(event.event)) continue;
      const live = livePayload.parse(event.payload);
      if (live.messages !== undefined) this.putMessages(event.workspace_id, live.messages);
      if (live.activity !== undefined) this.#putRows(event.workspace_id, [live.activity]);
      if (live.messages === undefined || live.activity === undefined) {
        incomplete.add(event.workspace_id);
      }
    }
    for (const workspaceId of incomplete) this.#refresh(workspaceId);
  }

  /** Lays messages over the newest page of a chat that is in the cache. */
  putMessages(workspaceId: string, messages: readonly ChatMessage[]): void {
    this.#change<ChatPage>(chatKey(workspaceId), (page) => ({
      ...page,
      messages: mergeMessages(page.messages, messages),
    }));
  }

  /** Nothing is written to the caches after this. */
  stop(): void {
    this.#isStopped = true;
  }

  #putRows(workspaceId: string, rows: readonly ActivityView[]): void {
    for (const facet of ACTIVITY_FACETS) {
      const types = facetTypes(facet);
      const fitting = types === undefined ? rows : rows.filter((row) => types.includes(row.type));
      this.#change<ActivityPage>(activityKey(workspaceId, facet), (page) => ({
        ...page,
        rows: mergeRows(page.rows, fitting),
      }));
    }
  }

  #change<Page>(key: readonly unknown[], change: (newest: Page) => Page): void {
    if (this.#isStopped) return;
    this.#queryClient.setQueryData<InfiniteData<Page>>(key, (data) => {
      const newest = data?.pages[0];
      if (data === undefined || newest === undefined) return data;
      return { ...data, pages: [change(newest), ...data.pages.slice(1)] };
    });
  }

  #refresh(workspaceId: string): void {
    if (this.#isStopped) return;
    if (this.#fetching.has(workspaceId)) {
      this.#fetching.set(workspaceId, true);
      return;
    }
    this.#fetching.set(workspaceId, false);
    void this.#fetchNewest(workspaceId).finally(() => {
      const again = this.#fetching.get(workspaceId) === true;
      this.#fetching.delete(workspaceId);
      if (again) this.#refresh(workspaceId);
    });
  }

  /** A failed fetch leaves the cache as it is and marks it for the next time it is opened. */
  async #fetchNewest(workspaceId: string): Promise<void> {
    const isOpen = (key: readonly unknown[]) => this.#queryClient.getQueryData(key) !== undefined;
    try {
      await Promise.all([
        isOpen(chatKey(workspaceId))
          ? this.#client.chat.history
              .query({ workspaceId, limit: CHAT_PAGE })
              .then((page) => this.putMessages(workspaceId, page.messages))
          : null,
        ACTIVITY_FACETS.some((facet) => isOpen(activityKey(workspaceId, facet)))
          ? this.#client.activity.list
              .query({ workspaceId, limit: CHAT_PAGE })
              .then((page) => this.#putRows(workspaceId, page.rows))
          : null,
      ]);
    } catch {
      await this.#queryClient.invalidateQueries({
        queryKey: chatKey(workspaceId),
        refetchType: "none",
      });
    }
  }
}
