import type { StreamEvent } from "@molecule/contracts/events";
import type { ChatMessage } from "@molecule/contracts/panel";
import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveCaches } from "./live-caches.ts";
import { chatKey } from "./query-keys.ts";

const message = (seq: number): ChatMessage => ({
  id: `${seq}:a`,
  seq,
  role: "agent",
  text: `text ${seq}`,
  at: "2026-01-01T00:00:00Z",
  status: "ok",
  error: null,
  author: "Ada",
  messageId: null,
  tools: [],
  attachments: [],
});
const event = (payload: Record<string, unknown> = {}): StreamEvent => ({
  event: "ACTIVITY_LOGGED",
  workspace_id: "w",
  timestamp: "2026-01-01T00:00:00Z",
  payload: { activity_type: "a2a_receive", source_id: null, ...payload },
});

/** Counts what is asked; every answer is one newer message. */
function fakeApi() {
  let asked = 0;
  const client = {
    chat: {
      history: {
        query: async () => {
          asked += 1;
          return { messages: [message(asked)], hasMore: false };
        },
      },
    },
    activity: { list: { query: async () => ({ rows: [], hasMore: false }) } },
  } as unknown as ConstructorParameters<typeof LiveCaches>[1];
  return { client, asked: () => asked };
}

function cachedChat(how: "on screen" | "elsewhere"): QueryClient {
  const queryClient = new QueryClient();
  const data = { pages: [{ messages: [], hasMore: false }], pageParams: [null] };
  queryClient.setQueryData(chatKey("w"), data);
  if (how === "on screen") {
    const options = { queryKey: chatKey("w"), enabled: false };
    new QueryObserver(queryClient, options).subscribe(() => {});
  }
  return queryClient;
}

const shown = (queryClient: QueryClient) =>
  queryClient
    .getQueryData<{ pages: { messages: ChatMessage[] }[] }>(chatKey("w"))
    ?.pages.flatMap((page) => page.messages.map((each) => each.seq));

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a message of a person is fetched at once and merged into the newest page", async () => {
  const api = fakeApi();
  const queryClient = cachedChat("on screen");
  new LiveCaches(queryClient, api.client).apply([event(), event()]);
  await vi.advanceTimersByTimeAsync(0);
  expect(api.asked()).toBe(1);
  expect(shown(queryClient)).toEqual([1]);
});

test("a hundred events in a second are two fetches: the first, and one for the rest", async () => {
  const api = fakeApi();
  const queryClient = cachedChat("on screen");
  const live = new LiveCaches(queryClient, api.client);
  for (let count = 0; count < 100; count++) live.apply([event()]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(api.asked()).toBe(2);
  expect(shown(queryClient)).toEqual([1, 2]);
});

test("what agents tell each other asks for no chat", async () => {
  const api = fakeApi();
  const live = new LiveCaches(cachedChat("on screen"), api.client);
  live.apply([event({ source_id: "other" }), event({ activity_type: "agent_log" })]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(api.asked()).toBe(0);
});

test("a chat that is not on screen is marked stale and costs nothing", async () => {
  const api = fakeApi();
  const queryClient = cachedChat("elsewhere");
  new LiveCaches(queryClient, api.client).apply([event()]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(api.asked()).toBe(0);
  expect(queryClient.getQueryState(chatKey("w"))?.isInvalidated).toBe(true);
});

test("a chat that nobody opened is left alone, and nothing happens after stop", async () => {
  const api = fakeApi();
  new LiveCaches(new QueryClient(), api.client).apply([event()]);
  const stopped = new LiveCaches(cachedChat("on screen"), api.client);
  stopped.stop();
  stopped.apply([event()]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(api.asked()).toBe(0);
});
