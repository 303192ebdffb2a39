import { describe, expect, it } from "vitest";
import { readReply } from "./agent-reply.ts";
import { StreamFold } from "./stream-fold.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const event = (result: unknown) => `data: ${JSON.stringify({ jsonrpc: "2.0", id: 1, result })}\n\n`;
const piece = (text: string, append: boolean, id = "a") => ({
  kind: "artifact-update",
  taskId: "t",
  append,
  artifact: { artifactId: id, parts: [{ kind: "text", text }] },
});
const done = { kind: "status-update", taskId: "t", status: { state: "completed" }, final: true };

function folded(text: string, sizes: number): StreamFold {
  const fold = new StreamFold();
  const all = bytes(text);
  for (let at = 0; at < all.length; at += sizes) fold.feed(all.subarray(at, at + sizes));
  return fold;
}

describe("folding a stream", () => {
  it("gives the same answer however the bytes are cut", () => {
    const text = event(piece("Grüße ", false)) + event(piece("aus 🚀", true)) + event(done);
    for (const size of [1, 2, 3, 7, 50, 10_000]) {
      const fold = folded(text, size);
      expect(fold.isComplete).toBe(true);
      expect(readReply(fold.answer(1)).text).toBe("Grüße aus 🚀");
    }
  });

  it("keeps several artifacts apart and a replaced one replaced", () => {
    const fold = folded(
      event(piece("draft", false)) +
        event(piece("final", false)) +
        event(piece("b", false, "b")) +
        event(done),
      64,
    );
    const answer = fold.answer(1) as { result: { artifacts: unknown[] } };
    expect(answer.result.artifacts).toHaveLength(2);
    expect(readReply(answer).text).toBe("finalb");
  });

  it("understands the wrapped events of A2A 1.0", () => {
    const task = { id: "t", contextId: "c", status: { state: "TASK_STATE_SUBMITTED" } };
    const text =
      event({ task }) +
      event({
        artifactUpdate: { taskId: "t", artifact: { artifactId: "a", parts: [{ text: "hi" }] } },
      }) +
      event({ statusUpdate: { taskId: "t", status: { state: "TASK_STATE_COMPLETED" } } });
    const fold = folded(text, 9);
    expect(fold.taskId).toBe("t");
    expect(fold.isComplete).toBe(true);
    expect(readReply(fold.answer(1)).text).toBe("hi");
  });

  it("takes a message or an error as the whole answer", () => {
    const message = { kind: "message", role: "agent", parts: [{ kind: "text", text: "short" }] };
    expect(readReply(folded(event(message), 5).answer(1)).text).toBe("short");
    const error = `data: ${JSON.stringify({ id: 1, error: { code: -1, message: "no" } })}\n\n`;
    expect(readReply(folded(error, 5).answer(1))).toMatchObject({ text: "no", isError: true });
  });

  it("reads an event without the empty line at the end, and skips what is no JSON", () => {
    const text = `: ping\n\ndata: nonsense\n\nevent: x\r\ndata: ${JSON.stringify({ result: done })}`;
    const fold = folded(text, 4);
    fold.answer(1);
    expect(fold.isComplete).toBe(true);
  });

  it("is not complete when the agent stopped in the middle", () => {
    const fold = folded(event(piece("half", false)), 8);
    expect(fold.isComplete).toBe(false);
    expect(readReply(fold.answer(1)).text).toBe("half");
    expect(new StreamFold().answer(1)).toBeNull();
  });
});
