import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import {
  message,
  messageOf,
  runAt,
  saying,
  startTestAgent,
  type TestAgent,
} from "./test-agent.fixture.ts";

let api: TestApi;
let agent: TestAgent;
let id: string;

beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  agent = await startTestAgent();
  id = await api.createWorkspace({ name: "Target" });
  await runAt(api, id, agent.address);
});
afterEach(async () => {
  await agent.close();
});

const send = (
  body: unknown,
  options: { token?: string | null; headers?: Record<string, string> } = {},
) => api.call("POST", `/workspaces/${id}/a2a`, { body, ...options });
const rows = async () =>
  await api.test.sql`SELECT * FROM activity WHERE workspace_id = ${id}
    AND activity_type = 'a2a_receive' ORDER BY seq`;
const items = async () => await api.test.sql`SELECT * FROM a2a_queue WHERE workspace_id = ${id}`;
const ended = (status: string) =>
  waitUntil(`the row is ${status}`, async () => {
    const [row] = await rows();
    return row?.status === status ? row : null;
  });

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
      target_id: id,
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
    const [call] = agent.calls;
    expect(call?.body).toMatchObject({ jsonrpc: "2.0", method: "message/send" });
    const params = call?.body.params as { message: { parts: unknown; messageId: string } };
    expect(params.message.parts).toEqual(parts);
    expect(params.message.messageId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("carries the inbound secret and nothing of the sender's headers", async () => {
    await send(message("hi"), { headers: { "x-evil": "1", cookie: "a=b" } });
    const [call] = agent.calls;
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
    agent.behave(async (call, res) => {
      await gate;
      await saying("once")(call, res, undefined as never);
    });
    const first = send(message("hi", "same"));
    await waitUntil("the agent has it", () => agent.calls.length === 1);
    const second = send(message("hi", "same"));
    release();
    const answers = [await (await first).json(), await (await second).json()];
    expect(answers[0]).toEqual(answers[1]);
    expect(await (await send(message("hi", "same"))).json()).toEqual(answers[0]);
    expect(agent.calls).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  it("is not shown to another sender who uses its message id", async () => {
    await send(message("secret question", "mine"));
    const sibling = await api.createWorkspace({ name: "Sibling" });
    const response = await send(message("x", "mine"), { token: await api.tokenOf(sibling) });
    expect(response.status).toBe(409);
    expect(await response.text()).not.toContain("hello");
  });

  it("survives characters that the database refuses", async () => {
    agent.behave(saying("nul \u0000 and \ud800 half"));
    const response = await send(message("a\u0000b\ud800", "odd"));
    expect(response.status).toBe(200);
    expect((await ended("ok")).request_body.params.message.parts[0].text).toContain("b");
  });

  it("keeps the agent's own status and sentence when it refuses", async () => {
    agent.behave((_call, res) => {
      res.statusCode = 429;
      res.end(JSON.stringify({ error: "Too many at once." }));
    });
    const response = await send(message("hi"));
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ error: "Too many at once." });
    expect(await rows()).toMatchObject([{ status: "error", error_detail: "Too many at once." }]);
  });

  it("is an error row when the agent says that its turn failed", async () => {
    agent.behave((call, res) => {
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
    agent.behave(async (_call, res) => {
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
    agent.behave(async (_call, res) => {
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
    agent.behave((_call, res) => {
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
    expect(agent.calls).toHaveLength(1);
  });
});

describe("a delivery that goes wrong", () => {
  it("is never repeated when the agent may have done the work", async () => {
    agent.behave((_call, res) => {
      res.destroy();
    });
    const response = await send(message("hi", "lost"));
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ delivery_confirmed: false });
    expect((await send(message("hi", "lost"))).status).toBe(502);
    expect(agent.calls).toHaveLength(1);
  });

  it("is kept and tried again when certainly nothing was sent", async () => {
    await agent.close();
    const response = await send(message("hi", "kept"));
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ queued: true, queue_depth: 1 });
    expect(await rows()).toMatchObject([{ status: "queued" }]);
    await agent.reopen();
    await api.test.sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${id}`;
    expect((await ended("ok")).response_body.result.parts[0].text).toBe("hello");
    expect(agent.calls).toHaveLength(1);
  });

  it("does not follow a redirect, with or without the secret", async () => {
    await using other = await startTestAgent();
    agent.behave((_call, res) => {
      res.statusCode = 302;
      res.setHeader("location", `http://${other.address}/`);
      res.end();
    });
    expect((await send(message("hi"))).status).toBe(502);
    expect(other.calls).toHaveLength(0);
  });

  it("is cut off at ten megabytes", async () => {
    agent.behave((_call, res) => {
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
    agent.behave((_call, res) => {
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
    agent.behave(async (call, res) => {
      await gate;
      await saying("slow")(call, res, undefined as never);
    });
    const response = await send(message("hi", "slow"), { headers: { "x-timeout": "1" } });
    expect(response.status).toBe(202);
    release();
    expect((await ended("ok")).response_body.result.parts[0].text).toBe("slow");
  });
});

describe("an agent that is not ready", () => {
  it("gets the message when it is, once", async () => {
    await api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${id}`;
    const response = await send(message("hi", "wait"));
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ queued: true, queue_depth: 1, position: 1 });
    expect((await send(message("hi", "wait"))).status).toBe(202);
    await api.test.sql`UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = ${id}`;
    await api.call("POST", "/registry/heartbeat", {
      token: await api.tokenOf(id),
      body: { workspace_id: id },
    });
    await ended("ok");
    expect(agent.calls).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  it("gets waiting messages in the order they came", async () => {
    await api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${id}`;
    for (const text of ["one", "two", "three"]) await send(message(text, text));
    await api.test.sql`UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = ${id}`;
    await api.test.sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${id}`;
    await waitUntil("all are delivered", () => agent.calls.length === 3);
    const order = agent.calls.map(
      (call) => (call.body.params as { message: { messageId: string } }).message.messageId,
    );
    expect(order).toEqual(["one", "two", "three"]);
  });

  it.each([
    ["paused", "paused"],
    ["deleted", "removed"],
  ])("is answered clearly when it is %s", async (intent, word) => {
    await api.test.sql`UPDATE workspaces SET intent = ${intent} WHERE id = ${id}`;
    const response = await send(message("hi"));
    expect(response.status).toBe(intent === "deleted" ? 410 : 503);
    expect((await response.text()).toLowerCase()).toContain(word);
    expect(await rows()).toHaveLength(0);
  });

  it("is woken when it sleeps", async () => {
    await api.test
      .sql`UPDATE workspaces SET intent = 'hibernated', phase = 'PAUSED' WHERE id = ${id}`;
    const response = await send(message("hi"));
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("15");
    expect(await response.json()).toMatchObject({ waking: true, retry_after: 15 });
    const [row] = await api.test.sql`SELECT intent, start_reason FROM workspaces WHERE id = ${id}`;
    expect(row).toMatchObject({ intent: "run", start_reason: "wake" });
  });

  it("gets what woke it once it is awake, once, however often it was sent", async () => {
    await api.test
      .sql`UPDATE workspaces SET intent = 'hibernated', phase = 'PAUSED' WHERE id = ${id}`;
    const first = await send(message("wake up", "dawn"));
    expect(await first.json()).toMatchObject({ waking: true, queued: true });
    const again = await send(message("wake up", "dawn"));
    expect([202, 503]).toContain(again.status);
    expect(agent.calls).toHaveLength(0);
    await api.test.sql`UPDATE workspaces SET phase = 'READY' WHERE id = ${id}`;
    await api.test.sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${id}`;
    await ended("ok");
    expect(agent.calls).toHaveLength(1);
  });

  it("is woken by a message that waited when it fell asleep", async () => {
    await api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() + interval '1 hour' WHERE id = ${id}`;
    expect((await send(message("hi", "waits"))).status).toBe(202);
    await api.test
      .sql`UPDATE workspaces SET intent = 'hibernated', phase = 'PAUSED', deadline_at = NULL WHERE id = ${id}`;
    await api.test.sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${id}`;
    await waitUntil("it is woken", async () => {
      const [row] = await api.test.sql`SELECT intent FROM workspaces WHERE id = ${id}`;
      return row?.intent === "run";
    });
  });
});

describe("a server that was killed in the middle of a delivery", () => {
  const orphan = async (taskId: string | null) => {
    await agent.close();
    await send(message("hi", "orphan"));
    await agent.reopen();
    await api.test.sql`UPDATE a2a_queue SET status = 'dispatched', dispatched_at = cp_now(),
      lease_owner = 'dead', lease_until = cp_now() - interval '1 s', next_action_at = cp_now(),
      task_id = ${taskId} WHERE workspace_id = ${id}`;
  };

  it("leaves a row that says what happened, and the message is not sent again", async () => {
    await orphan(null);
    expect((await ended("error")).error_detail).toContain("platform restarted while the agent");
    expect(agent.calls).toHaveLength(0);
  });

  it("loses no answer when the agent still knows the task", async () => {
    agent.behave((call, res) => {
      const artifacts = [{ artifactId: "a", parts: [{ kind: "text", text: "found again" }] }];
      const result = { kind: "task", id: "t9", status: { state: "completed" }, artifacts };
      res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result }));
    });
    await orphan("t9");
    const row = await ended("ok");
    expect(row.response_body.result.artifacts[0].parts[0].text).toBe("found again");
    expect(agent.calls.map((call) => call.body.method)).toEqual(["tasks/get"]);
  });

  it("says so when the agent has forgotten the task", async () => {
    agent.behave((call, res) => {
      const error = { code: -32001, message: "Task not found" };
      res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, error }));
    });
    await orphan("t9");
    expect((await ended("error")).error_detail).toContain("platform restarted while the agent");
  });
});

describe("who may send", () => {
  it.each([
    ["no credential", null, {}, 401],
    ["a wrong bearer", "wst_nope", {}, 401],
    ["an internal caller's name", undefined, { "x-workspace-id": "system:restart" }, 403],
    ["a caller that is no id", undefined, { "x-workspace-id": "abc" }, 400],
    [
      "the admin token in a workspace's name",
      undefined,
      { "x-workspace-id": "11111111-1111-4111-8111-111111111111" },
      401,
    ],
  ])("%s is refused", async (_name, token, headers, status) => {
    const response = await send(message("hi"), {
      headers,
      ...(token === undefined ? {} : { token }),
    });
    expect(response.status).toBe(status);
    expect(agent.calls).toHaveLength(0);
  });

  it("a workspace speaks in its own name only, and along the hierarchy", async () => {
    const parent = await api.createWorkspace({ name: "Parent" });
    const child = await api.createWorkspace({ name: "Child", parent_id: parent });
    const token = await api.tokenOf(child);
    expect((await send(message("hi"), { token })).status).toBe(403);
    const spoofed = await send(message("hi"), { token, headers: { "x-workspace-id": parent } });
    expect(spoofed.status).toBe(401);
    const sibling = await api.createWorkspace({ name: "Sibling" });
    const allowed = await send(message("hi"), {
      token: await api.tokenOf(sibling),
      headers: { "x-workspace-id": sibling },
    });
    expect(allowed.status).toBe(200);
    expect(agent.calls[0]?.headers["x-workspace-id"]).toBe(sibling);
    expect(await rows()).toMatchObject([{ source_id: sibling, actor_name: "Sibling" }]);
  });

  it("a message to oneself needs a token too", async () => {
    expect(
      (await send(message("hi"), { token: null, headers: { "x-workspace-id": id } })).status,
    ).toBe(401);
    expect((await send(message("hi"), { token: await api.tokenOf(id) })).status).toBe(200);
  });

  it("no agent in a ring of agents that keep asking each other", async () => {
    const sibling = await api.createWorkspace({ name: "Echo" });
    await runAt(api, sibling, agent.address);
    const tokens = { [id]: await api.tokenOf(id), [sibling]: await api.tokenOf(sibling) };
    const ask = (from: string, to: string) =>
      api.call("POST", `/workspaces/${to}/a2a`, {
        token: tokens[from] ?? null,
        body: message("and you?"),
      });
    const statuses: number[] = [];
    agent.behave(async (call, res) => {
      const from = call.headers["x-workspace-id"] === sibling ? id : sibling;
      const next = await ask(from, from === id ? sibling : id);
      statuses.push(next.status);
      await saying("enough")(call, res, undefined as never);
    });
    expect((await ask(sibling, id)).status).toBe(200);
    expect(statuses[0]).toBe(409);
    expect(statuses.slice(1).every((status) => status === 200)).toBe(true);
    expect(agent.calls).toHaveLength(16);
  });

  it("nobody past the budget", async () => {
    await api.test.sql`UPDATE workspaces SET budget_limit = 5, monthly_spend = 5 WHERE id = ${id}`;
    expect((await send(message("hi"))).status).toBe(402);
  });
});

describe("bad input", () => {
  it.each([
    ["no JSON", "{", 400],
    ["an array", "[]", 400],
    ["nothing", "", 400],
    ["no method", "{}", 400],
    [
      "a message id that is no text",
      JSON.stringify({ method: "message/send", params: { message: { messageId: 5 } } }),
      400,
    ],
    ["more than a megabyte", JSON.stringify(message("x".repeat(1_048_577))), 413],
  ])("%s is refused and nothing is kept", async (_name, body, status) => {
    const response = await api.call("POST", `/workspaces/${id}/a2a`, {
      body,
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.any(String) });
    expect(await rows()).toHaveLength(0);
  });

  it("an unknown workspace is 404 and no id at all is 400", async () => {
    const unknown = await api.call("POST", "/workspaces/11111111-1111-4111-8111-111111111111/a2a", {
      body: message("hi"),
    });
    expect(unknown.status).toBe(404);
    expect((await api.call("POST", "/workspaces/nope/a2a", { body: message("hi") })).status).toBe(
      400,
    );
  });
});

describe("what is told", () => {
  it("the answer to a person, and the row to both sides of agents", async () => {
    await send(message("hi", "told"));
    const sibling = await api.createWorkspace({ name: "Sibling" });
    await send(message("hi", "told2"), { token: await api.tokenOf(sibling) });
    const events = await api.test.sql`SELECT event, subject_id, payload FROM events
      WHERE subject_id IN (${id}, ${sibling}) AND event IN ('A2A_RESPONSE', 'ACTIVITY_LOGGED')
        AND payload->>'activity_type' IS DISTINCT FROM 'lifecycle' ORDER BY id`;
    const answers = events.filter((event) => event.event === "A2A_RESPONSE");
    expect(answers).toHaveLength(1);
    expect(answers[0]?.payload).toMatchObject({ method: "message/send", message_id: "told" });
    const forSibling = events.filter((event) => event.subject_id === sibling);
    expect(forSibling.map((event) => event.payload.status)).toEqual(["pending", "ok"]);
  });
});
