import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  message,
  runAt,
  saying,
  startTestAgent,
  type TestAgent,
} from "../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { appRouter } from "../root.ts";
import { createCaller } from "../trpc.ts";

let api: TestApi;
let agent: TestAgent;
let id: string;
let token: string;

beforeAll(async () => {
  api = await createTestApi();
  agent = await startTestAgent();
});
afterAll(async () => {
  await agent.close();
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  agent.behave(saying("hello"));
  id = await api.createWorkspace({ name: "Ada" });
  await runAt(api, id, agent.address);
  token = await api.tokenOf(id);
});

const post = (path: string, body: unknown, bearer: string | null = token) =>
  api.call("POST", `/workspaces/${id}${path}`, { body, token: bearer });
const trpc = () =>
  createCaller(appRouter)({ deps: api.deps, auth: { kind: "admin" }, requestId: "r" });
const list = async (query = "") => {
  const response = await api.call("GET", `/workspaces/${id}/activity${query}`, { token });
  return { status: response.status, rows: (await response.json()) as Record<string, unknown>[] };
};

describe("a message of an agent to its person", () => {
  const file = { uri: "workspace:/workspace/a.txt", name: "a.txt", mimeType: "text/plain" };

  it("is kept in the shape from which a chat is rebuilt, and told", async () => {
    const response = await post("/notify", {
      message: "Done.",
      attachments: [file],
      type: "extra",
    });
    expect(await response.json()).toEqual({ status: "sent" });
    const { rows } = await list("?type=a2a_receive&source=canvas");
    expect(rows).toMatchObject([
      {
        method: "notify",
        summary: "Agent message: Done.",
        source_id: null,
        status: "ok",
        response_body: { result: "Done.", parts: [{ kind: "file", file }] },
      },
    ]);
    expect(rows[0]).not.toHaveProperty("request_body");
    const told = await api.test.sql`SELECT payload FROM events
      WHERE subject_id = ${id} AND event = 'AGENT_MESSAGE'`;
    expect(told[0]?.payload).toMatchObject({ message: "Done.", name: "Ada", attachments: [file] });
    const { messages } = await trpc().chat.history({ workspaceId: id });
    expect(messages).toMatchObject([
      { role: "agent", text: "Done.", attachments: [{ name: "a.txt", uri: file.uri }] },
    ]);
  });

  it.each([
    ["no message", {}, ""],
    ["an empty message", { message: "" }, ""],
    [
      "an attachment without a name",
      { message: "x", attachments: [file, { uri: "u", name: "" }] },
      "1",
    ],
    ["an attachment without a uri", { message: "x", attachments: [{ uri: "", name: "n" }] }, "0"],
    ["an attachment that is a text", { message: "x", attachments: ["u"] }, "0"],
  ])("is refused with %s, naming the element", async (_name, body, element) => {
    const response = await post("/notify", body);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toContain(element);
    expect((await list("?type=a2a_receive")).rows).toEqual([]);
  });

  it("is refused when it floods, with a sentence and a time, and nothing accepted is lost", async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 70; i += 1)
      statuses.push((await post("/notify", { message: `${i}` })).status);
    const sent = statuses.filter((status) => status === 200).length;
    expect(sent).toBe(60);
    const refused = await post("/notify", { message: "more" });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await list("?type=a2a_receive&limit=500")).rows).toHaveLength(sent);
  });

  it("is answered 200 when it is kept, and neither answered so nor told when it is not", async () => {
    await api.test.sql.unsafe(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON activity FOR EACH ROW
        WHEN (NEW.method = 'notify') EXECUTE FUNCTION refuse()`);
    expect((await post("/notify", { message: "lost?" })).status).toBe(500);
    await api.test.sql`DROP TRIGGER refuse ON activity`;
    expect((await post("/notify", { message: "kept" })).status).toBe(200);
    const told = await api.test.sql`SELECT payload FROM events
      WHERE subject_id = ${id} AND event = 'AGENT_MESSAGE'`;
    expect(told.map((row) => row.payload.message)).toEqual(["kept"]);
    expect((await list("?type=a2a_receive")).rows).toHaveLength(1);
  });

  it("needs a token of this workspace", async () => {
    expect((await post("/notify", { message: "x" }, null)).status).toBe(401);
    const other = await api.tokenOf(await api.createWorkspace({ name: "Other" }));
    expect((await post("/notify", { message: "x" }, other)).status).toBe(401);
  });
});

describe("an activity report", () => {
  it("is logged in the agent's own name", async () => {
    const body = { activity_type: "task_update", summary: "Reading", metadata: { step: 1 } };
    expect(await (await post("/activity", body)).json()).toEqual({ status: "logged" });
    expect((await list("?type=task_update")).rows).toMatchObject([
      { source_id: id, summary: "Reading", request_body: { step: 1 }, status: "ok" },
    ]);
  });

  it.each([
    ["somebody else's name", { activity_type: "error", source_id: crypto.randomUUID() }, 403],
    ["a type that is ours alone", { activity_type: "lifecycle" }, 400],
    ["no type", { summary: "x" }, 400],
    ["a target that is no id", { activity_type: "error", target_id: "x" }, 400],
  ])("is refused with %s", async (_name, body, status) => {
    expect((await post("/activity", body)).status).toBe(status);
  });

  it("with characters the database refuses is kept all the same", async () => {
    const body = { activity_type: "agent_log", summary: "a\u0000b", request_body: { k: "\u0000" } };
    expect((await post("/activity", body)).status).toBe(200);
  });
});

describe("the activity list", () => {
  it.each([
    "?source=nobody",
    "?since_secs=0",
    "?since_secs=-1",
    "?since_secs=abc",
    "?before_ts=yesterday",
    "?peer_id=x",
    "?since_id=x",
    "?type=nope",
  ])("refuses %s", async (query) => {
    expect((await list(query)).status).toBe(400);
  });

  it("answers the default for a limit it cannot use", async () => {
    await post("/activity", { activity_type: "agent_log" });
    for (const limit of ["0", "-5", "abc"]) {
      expect((await list(`?limit=${limit}&type=agent_log`)).rows).toHaveLength(1);
    }
  });

  it("pages forwards without gaps, also between rows of one instant", async () => {
    for (let i = 0; i < 5; i += 1)
      await post("/activity", { activity_type: "agent_log", summary: `${i}` });
    await api.test.sql`UPDATE activity SET created_at = '2026-01-01T00:00:00Z'
      WHERE workspace_id = ${id} AND activity_type = 'agent_log'`;
    const newestFirst = (await list("?type=agent_log")).rows;
    const oldest = newestFirst.at(-1);
    const after = await list(`?type=agent_log&since_id=${oldest?.id}`);
    expect(after.rows.map((row) => row.summary)).toEqual(["1", "2", "3", "4"]);
  });

  it("shows a sender what became of its message to a peer", async () => {
    const peer = await api.createWorkspace({ name: "Peer" });
    await runAt(api, peer, agent.address);
    await api.call("POST", `/workspaces/${peer}/a2a`, { token, body: message("task", "m1") });
    const { rows } = await list(`?peer_id=${peer}`);
    expect(rows).toMatchObject([
      { workspace_id: peer, source_id: id, target_id: peer, status: "ok" },
    ]);
    const views = await trpc().activity.list({ workspaceId: id, types: ["a2a_receive"] });
    expect(views.rows).toMatchObject([
      { sourceName: "Ada", targetName: "Peer", request: "task", response: "hello", status: "ok" },
    ]);
    expect((await list("?type=a2a_receive")).rows).toEqual([]);
  });
});

describe("a chat", () => {
  const say = (text: string, messageId: string) =>
    api.call("POST", `/workspaces/${id}/a2a`, { body: message(text, messageId) });

  it("is rebuilt in order, page by page, with its failures", async () => {
    await say("one", "1");
    agent.behave((_call, res) => {
      res.destroy();
    });
    await say("two", "2");
    const { messages, hasMore } = await trpc().chat.history({ workspaceId: id });
    expect(
      messages.map(({ role, text, status, messageId }) => [role, text, status, messageId]),
    ).toEqual([
      ["person", "one", "ok", "1"],
      ["agent", "hello", "ok", "1"],
      ["person", "two", "error", "2"],
      ["agent", "", "error", "2"],
    ]);
    expect(messages[3]?.error).toContain("broke before it answered");
    expect(messages[0]?.author).toBe("the administrator");
    expect(hasMore).toBe(false);
    const last = await trpc().chat.history({ workspaceId: id, limit: 1 });
    expect(last.hasMore).toBe(true);
    expect(last.messages.map((found) => found.text)).toEqual(["two", ""]);
    const before = last.messages[0]?.seq;
    const first = await trpc().chat.history({ workspaceId: id, limit: 1, before });
    expect(first.messages.map((found) => found.text)).toEqual(["one", "hello"]);
  });

  it("has after a reload all that was seen live: answers, halves of answers, messages, files", async () => {
    const file = { uri: "workspace:/workspace/a.txt", name: "a.txt" };
    await say("one", "1");
    await post("/notify", { message: "by the way", attachments: [file] });
    const event = (result: unknown) =>
      `data: ${JSON.stringify({ jsonrpc: "2.0", id: "rpc-1", result })}\n\n`;
    const half = { artifactId: "a", parts: [{ kind: "text", text: "half of it" }] };
    agent.behave((_call, res) => {
      res.setHeader("content-type", "text/event-stream");
      res.write(event({ kind: "task", id: "t", status: { state: "working" } }));
      res.write(event({ kind: "artifact-update", taskId: "t", artifact: half }), () =>
        res.destroy(),
      );
    });
    const stream = await api.call("POST", `/workspaces/${id}/a2a`, {
      body: message("two", "2", "message/stream"),
    });
    expect(await stream.text()).toContain("half of it");
    const { messages } = await trpc().chat.history({ workspaceId: id });
    expect(messages.map(({ role, text, attachments }) => [role, text, attachments])).toEqual([
      ["person", "one", []],
      ["agent", "hello", []],
      ["agent", "by the way", [{ name: "a.txt", uri: file.uri }]],
      ["person", "two", []],
      ["agent", "half of it", []],
    ]);
    const told = await api.test.sql`SELECT event, payload FROM events
      WHERE subject_id = ${id} AND event IN ('AGENT_MESSAGE', 'A2A_RESPONSE') ORDER BY id`;
    const seen = new Set(messages.map((one) => one.id.split(":")[0]));
    expect(told).toHaveLength(2);
    expect(told.every(({ payload }) => seen.has(payload.activity_id))).toBe(true);
  });

  it("does not contain what agents say to each other", async () => {
    const peer = await api.createWorkspace({ name: "Peer" });
    await api.call("POST", `/workspaces/${id}/a2a`, {
      token: await api.tokenOf(peer),
      body: message("psst", "p"),
    });
    expect((await trpc().chat.history({ workspaceId: id })).messages).toEqual([]);
  });

  it("repeats a failed message when a person asks for it, and no other", async () => {
    agent.behave((_call, res) => {
      res.destroy();
    });
    await say("again", "r");
    agent.behave(saying("now"));
    const [question] = (await trpc().chat.history({ workspaceId: id })).messages;
    const activityId = question?.id.split(":")[0] ?? "";
    await trpc().chat.retry({ activityId });
    await waitUntil("it is answered", async () => {
      const { messages } = await trpc().chat.history({ workspaceId: id });
      return messages[1]?.text === "now";
    });
    await expect(trpc().chat.retry({ activityId })).rejects.toMatchObject({ code: "CONFLICT" });
    const unknown = trpc().chat.retry({ activityId: crypto.randomUUID() });
    await expect(unknown).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("takes a waiting message back", async () => {
    await api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${id}`;
    await say("never mind", "w");
    expect(await trpc().chat.cancel({ workspaceId: id })).toEqual({ cancelled: true });
    expect(await trpc().chat.cancel({ workspaceId: id })).toEqual({ cancelled: false });
    const { messages } = await trpc().chat.history({ workspaceId: id });
    expect(messages[1]?.error).toContain("Taken back by the administrator");
  });

  it("stops a running turn through its agent", async () => {
    const event = (result: unknown) =>
      `data: ${JSON.stringify({ jsonrpc: "2.0", id: 1, result })}\n\n`;
    const task = (state: string) => ({ kind: "task", id: "t7", contextId: "c", status: { state } });
    let end: () => void = () => undefined;
    agent.behave((call, res) => {
      if (call.body.method === "tasks/cancel") {
        expect(call.body.params).toEqual({ id: "t7" });
        end();
        res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result: task("canceled") }));
        return;
      }
      res.setHeader("content-type", "text/event-stream");
      res.write(event(task("working")));
      end = () => res.end(event(task("canceled")));
    });
    const response = await api.call("POST", `/workspaces/${id}/a2a`, {
      body: message("long", "l", "message/stream"),
    });
    const cancelled = await waitUntil("the turn can be stopped", async () => {
      const result = await trpc().chat.cancel({ workspaceId: id });
      return result.cancelled;
    });
    expect(cancelled).toBe(true);
    expect(await response.text()).toContain("canceled");
    const row = await waitUntil("the row has ended", async () => {
      const [found] = await api.test.sql`SELECT * FROM activity
        WHERE workspace_id = ${id} AND message_id = 'l' AND status <> 'pending'`;
      return found;
    });
    expect(row).toMatchObject({ status: "error", error_detail: "Stopped before it was finished." });
  });
});

describe("a delegation", () => {
  const delegations = async () => {
    const response = await api.call("GET", `/workspaces/${id}/delegations`, { token });
    return (await response.json()) as Record<string, unknown>[];
  };

  it("is answered at once, runs once per key, and its outcome is that of its message", async () => {
    const peer = await api.createWorkspace({ name: "Peer" });
    await runAt(api, peer, agent.address);
    const calls = agent.calls.length;
    const body = { target_id: peer, task: "Count.", idempotency_key: "k1" };
    const first = await post("/delegate", body);
    expect(first.status).toBe(202);
    const { delegation_id } = (await first.json()) as { delegation_id: string };
    await waitUntil(
      "it is completed",
      async () => (await delegations())[0]?.status === "completed",
    );
    const repeated = await post("/delegate", body);
    expect(repeated.status).toBe(202);
    expect(await repeated.json()).toEqual({
      delegation_id,
      status: "completed",
      target_id: peer,
      idempotent_hit: true,
    });
    expect(agent.calls.length - calls).toBe(1);
    expect(await delegations()).toMatchObject([
      {
        delegation_id,
        source_id: id,
        target_id: peer,
        type: "delegation",
        response_preview: "hello",
      },
    ]);
    const told = await api.test.sql`SELECT event FROM events
      WHERE subject_id = ${id} AND event::text LIKE 'DELEGATION%' ORDER BY id`;
    expect(told.map((row) => row.event)).toEqual(["DELEGATION_SENT", "DELEGATION_COMPLETE"]);
  });

  it("that is not allowed fails with a sentence and may be tried again", async () => {
    const parent = await api.createWorkspace({ name: "Parent" });
    const cousin = await api.createWorkspace({ name: "Cousin", parent_id: parent });
    const body = { target_id: cousin, task: "x", idempotency_key: "k2" };
    await post("/delegate", body);
    expect(await delegations()).toMatchObject([
      { status: "failed", error: expect.stringContaining("may not") },
    ]);
    const again = (await (await post("/delegate", body)).json()) as Record<string, unknown>;
    expect(again).not.toHaveProperty("idempotent_hit");
  });

  it("that a runtime sent itself is recorded and updated", async () => {
    const peer = await api.createWorkspace({ name: "Peer" });
    const record = { target_id: peer, task: "x", delegation_id: "d-1" };
    expect((await post("/delegations/record", record)).status).toBe(202);
    for (const status of ["queued", "completed"]) {
      const response = await post("/delegations/d-1/update", {
        status,
        response_preview: "ok then",
      });
      expect(await response.json()).toEqual({ status, delegation_id: "d-1" });
      expect((await delegations())[0]?.status).toBe(status);
    }
    expect((await post("/delegations/nope/update", { status: "failed" })).status).toBe(404);
    expect((await post("/delegations/d-1/update", { status: "odd" })).status).toBe(400);
  });

  it.each([
    ["to itself", () => ({ target_id: id, task: "x" })],
    ["without a task", () => ({ target_id: crypto.randomUUID() })],
    ["to no id", () => ({ target_id: "x", task: "x" })],
  ])("is refused %s", async (_name, body) => {
    expect((await post("/delegate", body())).status).toBe(400);
  });
});

describe("tokens", () => {
  it("are shown once, work at once and are dead when revoked", async () => {
    const minted = await post("/tokens", undefined);
    expect(minted.status).toBe(201);
    const body = (await minted.json()) as { auth_token: string };
    expect(body.auth_token).toMatch(/^wst_[\w-]{43}$/);
    const use = () => api.call("GET", `/workspaces/${id}/activity`, { token: body.auth_token });
    expect((await use()).status).toBe(200);
    const listed = await (await api.call("GET", `/workspaces/${id}/tokens`)).text();
    expect(listed).not.toContain(body.auth_token);
    const { tokens } = JSON.parse(listed) as { tokens: { id: string; prefix: string }[] };
    const own = tokens.find((found) => body.auth_token.slice(4).startsWith(found.prefix));
    const revoke = () => api.call("DELETE", `/workspaces/${id}/tokens/${own?.id}`);
    expect(await (await revoke()).json()).toEqual({ status: "revoked" });
    expect((await use()).status).toBe(401);
    expect((await revoke()).status).toBe(404);
    expect((await api.call("DELETE", `/workspaces/${id}/tokens/nonsense`)).status).toBe(404);
  });

  it("are fifty at most", async () => {
    for (let i = 0; i < 49; i += 1) expect((await post("/tokens", undefined)).status).toBe(201);
    expect((await post("/tokens", undefined)).status).toBe(429);
  });
});
