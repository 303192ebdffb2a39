import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPanelStore, type PanelStore } from "../state/panel-state.ts";
import { ChatSender } from "./chat-sender.ts";
import { replyText } from "./model/a2a-reply.ts";

const noStorage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
const envelope = (result: unknown) => `data: ${JSON.stringify({ result })}\n\n`;
const chunk = (text: string) =>
  envelope({
    kind: "artifact-update",
    append: true,
    artifact: { artifactId: "a", parts: [{ kind: "text", text }] },
  });

/** A stream that the test feeds by hand. */
function handFed() {
  const source = new TransformStream<Uint8Array, Uint8Array>();
  const writer = source.writable.getWriter();
  return {
    response: new Response(source.readable, { headers: { "content-type": "text/event-stream" } }),
    push: (text: string) => writer.write(new TextEncoder().encode(text)),
    end: () => writer.close(),
  };
}

const turns = (store: PanelStore) => store.getState().byWorkspace.w?.turns ?? [];

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a message is in the thread at once and its reply grows without one write per chunk", async () => {
  const store = createPanelStore(noStorage);
  const stream = handFed();
  const sender = new ChatSender(store, async () => stream.response);
  let writes = 0;
  sender.send("w", "hello");
  expect(turns(store)).toMatchObject([{ text: "hello", state: "sending" }]);
  store.subscribe(() => {
    writes += 1;
  });
  for (const piece of ["a", "b", "c", "d"]) await stream.push(chunk(piece));
  await vi.advanceTimersByTimeAsync(50);
  expect(turns(store)[0]?.state).toBe("streaming");
  expect(replyText(turns(store)[0]?.reply ?? never())).toBe("abcd");
  expect(writes).toBe(1);
  await stream.push(envelope({ kind: "status-update", status: { state: "completed" } }));
  await stream.end();
  await vi.advanceTimersByTimeAsync(0);
  expect(turns(store)[0]?.state).toBe("done");
});

test("a retry goes out under the same message id", async () => {
  const store = createPanelStore(noStorage);
  const ids: unknown[] = [];
  const sender = new ChatSender(store, async (_url, init) => {
    ids.push(JSON.parse(String(init?.body)).params.message.messageId);
    if (ids.length === 1) throw new TypeError("down");
    return Response.json({ queued: true }, { status: 202 });
  });
  sender.send("w", "hello");
  await vi.advanceTimersByTimeAsync(0);
  expect(turns(store)[0]?.state).toBe("failed");
  sender.retry("w", turns(store)[0]?.messageId ?? "");
  await vi.advanceTimersByTimeAsync(0);
  expect(turns(store)).toMatchObject([{ state: "queued" }]);
  expect(new Set(ids).size).toBe(1);
});

test("after stop nothing is written any more", async () => {
  const store = createPanelStore(noStorage);
  const stream = handFed();
  const sender = new ChatSender(store, async () => stream.response);
  sender.send("w", "hello");
  await vi.advanceTimersByTimeAsync(0);
  await stream.push(chunk("late"));
  sender.stop();
  const before = turns(store);
  await vi.advanceTimersByTimeAsync(100);
  expect(turns(store)).toBe(before);
});

function never(): never {
  throw new Error("no turn");
}
