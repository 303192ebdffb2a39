import type { StreamEvent } from "@molecule/contracts/events";
import type { ActivityView, ChatMessage } from "@molecule/contracts/panel";
import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { LiveCaches } from "./live-caches.ts";
import { activityKey, chatKey } from "./query-keys.ts";

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
const row = (seq: number): ActivityView => ({
  id: `${seq}`,
  seq,
  type: "a2a_receive",
  status: "ok",
  summary: "",
  method: "notify",
  sourceId: null,
  targetId: null,
  sourceName: null,
  targetName: null,
  actorName: null,
  durationMs: null,
  errorDetail: null,
  request: null,
  response: null,
  at: "2026-01-01T00:00:00Z",
});
const event = (payload: Record<string, unknown>): StreamEvent => ({
  event: "ACTIVITY_LOGGED",
  workspace_id: "w",
  timestamp: "2026-01-01T00:00:00Z",
  payload,
});

/** Counts the fetches and answers them when told to. */
function fakeApi() {
  const waiting: (() => void)[] = [];
  let asked = 0;
  const client = {
    chat: {
      history: {
        query: () => {
          asked += 1;
          return new Promise((resolve) =>
            waiting.push(() => resolve({ messages: [message(asked)], hasMore: false })),
          );
        },
      },
    },
    activity: { list: { query: async () => ({ rows: [], hasMore: false }) } },
  } as unknown as ConstructorParameters<typeof LiveCaches>[1];
  return { client, asked: () => asked, answer: () => waiting.shift()?.() };
}

function openChat(): QueryClient {
  const queryClient = new QueryClient();
  queryClient.setQueryData(chatKey("w"), {
    pages: [{ messages: [], hasMore: false }],
    pageParams: [null],
  });
  return queryClient;
}

const shown = (queryClient: QueryClient) =>
  queryClient
    .getQueryData<{ pages: { messages: ChatMessage[] }[] }>(chatKey("w"))
    ?.pages.flatMap((page) => page.messages.map((each) => each.seq));

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("an event that carries its rows asks for nothing, and the same one twice is shown once", () => {
  const api = fakeApi();
  const queryClient = openChat();
  queryClient.setQueryData(activityKey("w", "errors"), {
    pages: [{ rows: [], hasMore: false }],
    pageParams: [null],
  });
  const live = new LiveCaches(queryClient, api.client);
  const carried = event({ messages: [message(1)], activity: row(1) });
  live.apply([carried, carried]);
  expect(shown(queryClient)).toEqual([1]);
  expect(queryClient.getQueryData(activityKey("w", "errors"))).toMatchObject({
    pages: [{ rows: [] }],
  });
  expect(api.asked()).toBe(0);
});

test("a hundred events without rows are two fetches: one under way and one after it", async () => {
  const api = fakeApi();
  const queryClient = openChat();
  const live = new LiveCaches(queryClient, api.client);
  live.apply([event({})]);
  for (let count = 0; count < 99; count++) live.apply([event({})]);
  expect(api.asked()).toBe(1);
  api.answer();
  await settled();
  expect(api.asked()).toBe(2);
  api.answer();
  await settled();
  expect(api.asked()).toBe(2);
  expect(shown(queryClient)).toEqual([1, 2]);
});

test("a chat that nobody opened is left alone", async () => {
  const api = fakeApi();
  new LiveCaches(new QueryClient(), api.client).apply([event({})]);
  await settled();
  expect(api.asked()).toBe(0);
});
