import { expect, test } from "vitest";
import { EMPTY_REPLY, reduceReply, replyText } from "./a2a-reply.ts";

const rpc = (result: unknown) => ({ jsonrpc: "2.0", id: "1", result });
const run = (...envelopes: unknown[]) => envelopes.reduce(reduceReply, EMPTY_REPLY);
const chunk = (text: string, append: boolean) =>
  rpc({
    kind: "artifact-update",
    taskId: "t1",
    append,
    artifact: { artifactId: "a", parts: [{ kind: "text", text }] },
  });

test("chunks of one artifact are joined in order and the final status ends the reply", () => {
  const reply = run(
    rpc({ kind: "task", id: "t1", status: { state: "submitted" } }),
    chunk("Hel", false),
    chunk("lo", true),
    rpc({ kind: "status-update", taskId: "t1", final: true, status: { state: "completed" } }),
  );
  expect(replyText(reply)).toBe("Hello");
  expect(reply).toMatchObject({ phase: "done", taskId: "t1" });
});

test("an artifact that is sent again without append replaces its text", () => {
  expect(replyText(run(chunk("draft", false), chunk("final", false)))).toBe("final");
});

test("a working status with text is a note, not a part of the answer", () => {
  const reply = run(
    rpc({
      kind: "status-update",
      taskId: "t",
      status: { state: "working", message: { parts: [{ kind: "text", text: "Reading a.txt" }] } },
    }),
  );
  expect(reply).toMatchObject({ phase: "working", note: "Reading a.txt" });
  expect(replyText(reply)).toBe("");
});

test("a plain message is the whole answer, with either name of a text part", () => {
  expect(replyText(run(rpc({ kind: "message", parts: [{ kind: "text", text: "a" }] })))).toBe("a");
  expect(replyText(run(rpc({ parts: [{ type: "text", text: "b" }] })))).toBe("b");
  expect(replyText(run(rpc({ message: { parts: [{ text: "c" }] } })))).toBe("c");
});

test("the shapes of A2A 1.0 mean the same", () => {
  const reply = run(
    rpc({ task: { id: "t", status: { state: "TASK_STATE_SUBMITTED" } } }),
    rpc({
      artifactUpdate: { taskId: "t", artifact: { artifactId: "x", parts: [{ text: "hi" }] } },
    }),
    rpc({ statusUpdate: { taskId: "t", status: { state: "TASK_STATE_COMPLETED" } } }),
  );
  expect(reply.phase).toBe("done");
  expect(replyText(reply)).toBe("hi");
});

test("a finished task without kind is read by its artifacts", () => {
  const reply = run(
    rpc({ status: { state: "completed" }, artifacts: [{ parts: [{ kind: "text", text: "x" }] }] }),
  );
  expect(replyText(reply)).toBe("x");
});

test("a failed status and a JSON-RPC error both carry their sentence", () => {
  const failed = {
    state: "failed",
    message: { parts: [{ kind: "text", text: "Agent error: No key." }] },
  };
  expect(run(rpc({ kind: "status-update", status: failed }))).toMatchObject({
    phase: "failed",
    error: "No key.",
  });
  expect(run({ jsonrpc: "2.0", error: { code: -32000, message: "Busy." } })).toMatchObject({
    phase: "failed",
    error: "Busy.",
  });
});

test("a cancelled task keeps the text that had arrived", () => {
  const reply = run(
    chunk("half", false),
    rpc({ kind: "status-update", status: { state: "canceled" } }),
  );
  expect(reply.phase).toBe("canceled");
  expect(replyText(reply)).toBe("half");
});

test("tool calls come one by one or as the whole trace", () => {
  const one = (name: string) =>
    rpc({
      kind: "status-update",
      status: { state: "working" },
      metadata: { tool: { name, detail: "d" } },
    });
  expect(run(one("read"), one("write")).tools.map((tool) => tool.name)).toEqual(["read", "write"]);
  const again = rpc({
    kind: "status-update",
    status: { state: "working" },
    metadata: { tool: { id: "1", name: "ls", detail: "", state: "running" } },
  });
  expect(run(again, again).tools).toHaveLength(1);
  const trace = rpc({ parts: [], metadata: { tool_trace: [{ tool: "ls", input: { p: 1 } }] } });
  expect(run(one("read"), trace).tools).toEqual([{ name: "ls", detail: '{"p":1}' }]);
});

test("what is not understood changes nothing", () => {
  for (const odd of [null, "x", [], {}, { result: {} }, { result: { kind: "new-thing" } }]) {
    expect(reduceReply(EMPTY_REPLY, odd)).toBe(EMPTY_REPLY);
  }
});
