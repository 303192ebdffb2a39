import type { ChatMessage } from "@molecule/contracts/panel";
import { STOPPED_SENTENCE } from "@molecule/domain/delivery";
import { expect, test } from "vitest";
import { EMPTY_REPLY } from "./a2a-reply.ts";
import { mergeMessages, settledTurnIds, threadItems } from "./thread.ts";
import { type LocalTurn, newTurn, persistableTurns } from "./turn.ts";

function stored(id: string, over: Partial<ChatMessage> = {}): ChatMessage {
  const isAnswer = id.endsWith(":a");
  return {
    id,
    seq: Number(id.replace(/\D/g, "")),
    role: isAnswer ? "agent" : "person",
    text: id,
    at: "2026-01-01T00:00:00.000Z",
    status: "ok",
    error: null,
    author: isAnswer ? "Ada" : "You",
    messageId: isAnswer ? null : `m${id.replace(/\D/g, "")}`,
    tools: [],
    attachments: [],
    ...over,
  };
}

function turn(messageId: string, over: Partial<LocalTurn> = {}): LocalTurn {
  return { ...newTurn(messageId, `text of ${messageId}`), ...over };
}

const streaming = (text: string): Partial<LocalTurn> => ({
  state: "streaming",
  reply: { ...EMPTY_REPLY, artifacts: [{ id: "a", text }] },
});

test("pages and live messages merge by id, oldest first, and the final one of two wins", () => {
  const merged = mergeMessages(
    [stored("2:q"), stored("2:a", { status: "pending", text: "…" })],
    [stored("1:q"), stored("1:a"), stored("2:a", { text: "done" })],
    [stored("2:a", { status: "pending", text: "late" })],
  );
  expect(merged.map((message) => message.id)).toEqual(["1:q", "1:a", "2:q", "2:a"]);
  expect(merged[3]?.text).toBe("done");
});

test("a reply that came by stream and is stored is shown once, under the same key", () => {
  const live = threadItems([], [turn("m1", streaming("hi"))], "You");
  const both = threadItems(
    [stored("1:q"), stored("1:a", { text: "hi" })],
    [turn("m1", streaming("hi"))],
    "You",
  );
  expect(live.map((item) => item.key)).toEqual(["m1", "m1:a"]);
  expect(both.map((item) => item.key)).toEqual(["m1", "m1:a"]);
  expect(both[1]?.at).not.toBeNull();
});

test("the stream's text shows while the stored answer is still being made", () => {
  const items = threadItems(
    [stored("1:q", { status: "pending" })],
    [turn("m1", streaming("so far"))],
    "You",
  );
  expect(items[1]).toMatchObject({ text: "so far", state: "working" });
});

test("after a reload an unanswered message shows that the agent works on it", () => {
  const items = threadItems([stored("1:q", { status: "pending" })], [], "You");
  expect(items.map((item) => item.state)).toEqual(["sent", "working"]);
});

test("a queued message waits without a pretended reply", () => {
  expect(threadItems([stored("1:q", { status: "queued" })], [], "You")).toHaveLength(1);
  expect(threadItems([], [turn("m1", { state: "queued" })], "You")[0]?.state).toBe("queued");
});

test("a message that was not accepted stays with its reason and can be sent under the same id", () => {
  const [item] = threadItems([], [turn("m1", { state: "failed", error: "No network." })], "You");
  expect(item).toMatchObject({ state: "failed", error: "No network.", retryMessageId: "m1" });
});

test("an answer that failed offers to try its activity again", () => {
  const items = threadItems(
    [stored("1:q"), stored("1:a", { status: "error", error: "x" })],
    [],
    "",
  );
  expect(items[1]).toMatchObject({ error: "x", retryActivityId: "1" });
  const both = [stored("1:q", { status: "error" }), stored("1:a", { status: "error", error: "x" })];
  expect(threadItems(both, [], "").map((item) => item.error)).toEqual([null, "x"]);
});

test("an answer that a person stopped is no failure", () => {
  const answer = stored("1:a", { status: "error", error: STOPPED_SENTENCE, text: "1 2 3" });
  const [, item] = threadItems([stored("1:q"), answer], [], "");
  expect(item).toMatchObject({ state: "canceled", text: "1 2 3", error: null });
});

test("a message the agent sent by itself stands alone", () => {
  const items = threadItems([stored("3:a")], [], "You");
  expect(items.map((item) => [item.key, item.role])).toEqual([["3:a", "agent"]]);
});

test("a turn is settled once its answer is stored, or once the platform has a send that failed here", () => {
  const turns = [
    turn("m1"),
    turn("m2", { state: "failed" }),
    turn("m3", streaming("x")),
    turn("m4"),
  ];
  const ids = settledTurnIds(
    [stored("1:q"), stored("1:a"), stored("2:q", { status: "pending" }), stored("3:q")],
    turns,
  );
  expect(ids).toEqual(["m1", "m2"]);
});

test("a reload keeps what was not accepted and nothing else", () => {
  const kept = persistableTurns([
    turn("m1"),
    turn("m2", streaming("x")),
    turn("m3", { state: "queued" }),
  ]);
  expect(kept).toMatchObject([{ messageId: "m1", state: "failed" }]);
  expect(kept[0]?.error).toContain("page was closed");
});
