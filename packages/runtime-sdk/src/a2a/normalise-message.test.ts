import { describe, expect, it } from "vitest";
import { normaliseCall } from "./normalise-message.ts";

const messageOf = (message: unknown) =>
  (
    normaliseCall({ jsonrpc: "2.0", method: "message/send", params: { message } }) as {
      params: { message: Record<string, unknown> };
    }
  ).params.message;

describe("an older call", () => {
  it.each([
    [
      { type: "text", text: "x" },
      { kind: "text", text: "x" },
    ],
    [{ text: "x" }, { kind: "text", text: "x" }],
    ["x", { kind: "text", text: "x" }],
    [{ file: { uri: "u" } }, { kind: "file", file: { uri: "u" } }],
    [{ data: { a: 1 } }, { kind: "data", data: { a: 1 } }],
    [
      { kind: "text", text: "x" },
      { kind: "text", text: "x" },
    ],
  ])("gets the part %j as the protocol writes it", (part, expected) => {
    expect(messageOf({ parts: [part] }).parts).toEqual([expected]);
  });

  it("gets an id and a role when it has none, and keeps those it has", () => {
    expect(messageOf({ parts: [] })).toMatchObject({ role: "user", kind: "message" });
    expect(messageOf({ parts: [] }).messageId).toMatch(/^[0-9a-f-]{36}$/);
    expect(messageOf({ messageId: "m", role: "agent" })).toMatchObject({
      messageId: "m",
      role: "agent",
    });
  });

  it("belongs to the chat when it names no conversation and was not delegated", () => {
    expect(messageOf({ parts: [] }).contextId).toBe("chat");
    expect(messageOf({ contextId: "c" }).contextId).toBe("c");
    expect(messageOf({ taskId: "t" }).contextId).toBeUndefined();
    expect(messageOf({ metadata: { delegation_id: "d" } }).contextId).toBeUndefined();
  });

  it("is left alone when it is of the 1.0 protocol or no call at all", () => {
    const modern = {
      jsonrpc: "2.0",
      id: 1,
      method: "SendMessage",
      params: { message: { parts: [] } },
    };
    expect(normaliseCall(modern)).toEqual(modern);
    for (const body of [null, 1, "x", [], {}]) expect(normaliseCall(body)).toEqual(body);
  });
});
