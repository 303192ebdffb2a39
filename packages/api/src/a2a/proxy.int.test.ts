import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import { openProxyBed } from "./proxy-bed.fixture.ts";
import { message, messageOf, saying, startTestAgent } from "./test-agent.fixture.ts";

const bed = openProxyBed();
const { send, rows, items, ended } = bed;

describe("a message to an agent", () => {
  it("is answered with the agent's own bytes and kept with question and answer", async () => {
    const response = await send(message("hi", "m1"));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      jsonrpc: "2.0",
      id: "rpc-1",
      result: messageOf("hello"),
    });
    const [row] = await rows();
    expect(row).toMatchObject({
      status: "ok",
      method: "message/send",
      source_id: null,
      target_id: bed.id,
      message_id: "m1",
      summary: "message/send → Target",
      request_body: message("hi", "m1"),
    });
    expect(row?.response_body.result.parts[0].text).toBe("hello");
    expect((await items())[0]).toMatchObject({ status: "completed", lease_owner: null });
  });

  it("is wrapped when it is no envelope, given a message id, and its parts stay as they came", async () => {
    const parts = [
      { type: "text", text: "old shape" },
      { kind: "text", text: "new shape", metadata: { x: 1 } },
      { kind: "file", file: { uri: "workspace:/workspace/a", name: "a" } },
    ];
    await send({ method: "message/send", params: { message: { role: "user", parts } } });
    const [call] = bed.agent.calls;
    expect(call?.body).toMatchObject({ jsonrpc: "2.0", method: "message/send" });
    const params = call?.body.params as { message: { parts: unknown; messageId: string } };
    expect(params.message.parts).toEqual(parts);
    expect(params.message.messageId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("carries the inbound secret and nothing of the sender's headers", async () => {
    await send(message("hi"), { headers: { "x-evil": "1", cookie: "a=b" } });
    const [call] = bed.agent.calls;
    expect(call?.headers.authorization).toMatch(/^Bearer [\w-]{43}$/);
    expect(call?.headers).not.toHaveProperty("x-evil");
    expect(call?.headers).not.toHaveProperty("cookie");
    expect(call?.headers).not.toHaveProperty("x-workspace-id");
  });

  it("is delivered once when it is sent twice at the same time and again later", async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    bed.agent.behave(async (call, res) => {
      await gate;
      await saying("once")(call, res, undefined as never);
    });
    const first = send(message("hi", "same"));
    await waitUntil("the agent has it", () => bed.agent.calls.length === 1);
    const second = send(message("hi", "same"));
    release();
    const answers = [await (await first).json(), await (await second).json()];
    expect(answers[0]).toEqual(answers[1]);
    expect(await (await send(message("hi", "same"))).json()).toEqual(answers[0]);
    expect(bed.agent.calls).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  it("is not shown to another sender who uses its message id", async () => {
    await send(message("secret question", "mine"));
    const sibling = await bed.api.createWorkspace({ name: "Sibling" });
    const response = await send(message("x", "mine"), { token: await bed.api.tokenOf(sibling) });
    expect(response.status).toBe(409);
    expect(await response.text()).not.toContain("hello");
  });

  it("survives characters that the database refuses", async () => {
    bed.agent.behave(saying("nul \u0000 and \ud800 half"));
    const response = await send(message("a\u0000b\ud800", "odd"));
    expect(response.status).toBe(200);
    expect((await ended("ok")).request_body.params.message.parts[0].text).toContain("b");
  });

  it("keeps the agent's own status and sentence when it refuses", async () => {
    bed.agent.behave((_call, res) => {
      res.statusCode = 429;
      res.end(JSON.stringify({ error: "Too many at once." }));
    });
    const response = await send(message("hi"));
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ error: "Too many at once." });
    expect(await rows()).toMatchObject([{ status: "error", error_detail: "Too many at once." }]);
  });

  it("is an error row when the agent says that its turn failed", async () => {
    bed.agent.behave((call, res) => {
      const parts = [{ kind: "text", text: "Agent error: the key is wrong" }];
      const result = { kind: "task", id: "t", status: { state: "failed", message: { parts } } };
      res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result }));
    });
    expect((await send(message("hi"))).status).toBe(200);
    expect(await rows()).toMatchObject([{ status: "error", error_detail: "the key is wrong" }]);
  });
});

describe("a streamed reply", () => {
  const event = (result: unknown) =>
    `data: ${JSON.stringify({ jsonrpc: "2.0", id: "rpc-1", result })}\n\n`;
  const task = { kind: "task", id: "t1", contextId: "c1", status: { state: "submitted" } };
  const piece = (text: string, append: boolean) => ({
    kind: "artifact-update",
    taskId: "t1",
    contextId: "c1",
    append,
    artifact: { artifactId: "a1", parts: [{ kind: "text", text }] },
  });
  const done = {
    kind: "status-update",
    taskId: "t1",
    contextId: "c1",
    final: true,
    status: { state: "completed" },
    metadata: { tool_trace: [{ name: "Read", detail: "a.txt" }] },
  };

  it("reaches the sender piece by piece and is kept as one text", async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    bed.agent.behave(async (_call, res) => {
      res.setHeader("content-type", "text/event-stream");
      res.write(event(task) + event(piece("Hel", false)));
      await gate;
      res.write(event(piece("lo", true)));
      res.end(event(done));
    });
    const response = await send(message("hi", "s1", "message/stream"));
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    expect(first).toContain('"Hel"');
    release();
    let rest = "";
    for (;;) {
      const next = await reader?.read();
      if (next === undefined || next.done) break;
      rest += new TextDecoder().decode(next.value);
    }
    expect(rest).toContain('"completed"');
    const row = await ended("ok");
    expect(row.response_body.result.artifacts[0].parts).toEqual([{ kind: "text", text: "Hello" }]);
    expect(row.tool_trace).toEqual([{ name: "Read", detail: "a.txt" }]);
    expect((await items())[0]?.task_id).toBe("t1");
  });

  it("is finished and kept when the sender leaves", async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    bed.agent.behave(async (_call, res) => {
      res.setHeader("content-type", "text/event-stream");
      res.write(event(task));
      await gate;
      res.end(event(piece("late", false)) + event(done));
    });
    const response = await send(message("hi", "s2", "message/stream"));
    await response.body?.cancel();
    release();
    expect((await ended("ok")).response_body.result.artifacts[0].parts[0].text).toBe("late");
  });

  it("ends with a sentence when the agent dies in the middle, and what came is kept", async () => {
    bed.agent.behave((_call, res) => {
      res.setHeader("content-type", "text/event-stream");
      res.write(event(task) + event(piece("half", false)), () => res.destroy());
    });
    const response = await send(message("hi", "s3", "message/stream"));
    const text = await response.text();
    expect(text).toContain("half");
    expect(text).toContain("broke in the middle");
    const row = await ended("error");
    expect(row.response_body.result.artifacts[0].parts[0].text).toBe("half");
    expect((await send(message("hi", "s3"))).status).toBe(200);
    expect(bed.agent.calls).toHaveLength(1);
  });
});

describe("a delivery that goes wrong", () => {
  it("is never repeated when the agent may have done the work", async () => {
    bed.agent.behave((_call, res) => {
      res.destroy();
    });
    const response = await send(message("hi", "lost"));
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ delivery_confirmed: false });
    expect((await send(message("hi", "lost"))).status).toBe(502);
    expect(bed.agent.calls).toHaveLength(1);
  });

  it("is kept and tried again when certainly nothing was sent", async () => {
    await bed.agent.close();
    const response = await send(message("hi", "kept"));
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ queued: true, queue_depth: 1 });
    expect(await rows()).toMatchObject([{ status: "queued" }]);
    await bed.agent.reopen();
    await bed.api.test
      .sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${bed.id}`;
    expect((await ended("ok")).response_body.result.parts[0].text).toBe("hello");
    expect(bed.agent.calls).toHaveLength(1);
  });

  it("does not follow a redirect, with or without the secret", async () => {
    await using other = await startTestAgent();
    bed.agent.behave((_call, res) => {
      res.statusCode = 302;
      res.setHeader("location", `http://${other.address}/`);
      res.end();
    });
    expect((await send(message("hi"))).status).toBe(502);
    expect(other.calls).toHaveLength(0);
  });

  it("is cut off at ten megabytes", async () => {
    bed.agent.behave((_call, res) => {
      res.setHeader("content-type", "application/json");
      const chunk = "x".repeat(1_048_576);
      for (let i = 0; i < 12; i += 1) res.write(chunk);
      res.end();
    });
    const response = await send(message("hi"));
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      error: expect.stringContaining("10 MB"),
      delivery_confirmed: true,
    });
  });

  it("says so when the answer is not JSON", async () => {
    bed.agent.behave((_call, res) => {
      res.end("<html>");
    });
    const response = await send(message("hi"));
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ delivery_confirmed: true });
  });

  it("answers 202 when the sender's time is up, and the delivery goes on", async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    bed.agent.behave(async (call, res) => {
      await gate;
      await saying("slow")(call, res, undefined as never);
    });
    const response = await send(message("hi", "slow"), { headers: { "x-timeout": "1" } });
    expect(response.status).toBe(202);
    release();
    expect((await ended("ok")).response_body.result.parts[0].text).toBe("slow");
  });
});
