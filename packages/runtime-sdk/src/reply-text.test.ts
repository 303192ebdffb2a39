import { describe, expect, it } from "vitest";
import { replyOf } from "./reply-text.ts";

const part = { kind: "text", text: "hi" };

describe("the text of an answer", () => {
  it.each([
    [{ result: { parts: [part] } }, "hi", false],
    [{ result: { artifacts: [{ parts: [part, { type: "text", text: "!" }] }] } }, "hi!", false],
    [{ result: { message: { parts: [part] } } }, "hi", false],
    [{ result: { status: { state: "completed", message: { parts: [part] } } } }, "hi", false],
    [{ result: { status: { state: "completed" } } }, "", false],
    [{ result: "hi" }, "hi", false],
    [{ result: { parts: [{ text: "Agent error: no" }] } }, "Agent error: no", true],
    [
      {
        result: {
          artifacts: [{ parts: [{ text: "half" }] }],
          status: { state: "failed", message: { parts: [{ text: "Agent error: no" }] } },
        },
      },
      "Agent error: no",
      true,
    ],
    [{ error: { code: -1, message: "broken" } }, "broken", true],
    [{ error: "broken" }, "broken", true],
  ])("is found in %j", (body, text, isError) => {
    expect(replyOf(body)).toEqual({ text, isError });
  });

  it.each([null, undefined, 1, "x", [], {}, { result: {} }, { queued: true }])(
    "is absent in %j",
    (body) => {
      expect(replyOf(body)).toBeUndefined();
    },
  );
});
