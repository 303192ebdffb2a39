import { createHash, randomBytes } from "node:crypto";
import { markFirstHeartbeat } from "@molecule/db/lifecycle/mark-registered";
import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { message, runAt, saying, startTestAgent } from "../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../api.fixture.ts";

/** A second attempt whose agent beats for the first time: its note is queued with that. */
async function restartAt(api: TestApi, id: string, address: string): Promise<void> {
  await runAt(api, id, address);
  await runAt(api, id, address);
  await api.test.sql`
    UPDATE attempts SET outcome = NULL, ready_at = NULL, reason = 'user',
      detail = '{"sentence":"restarted by Ada","merged":[],"absorbed":[]}'
    WHERE workspace_id = ${id} AND no = 2`;
  await booting(api, id);
}

/** Its messages wait. */
async function booting(api: TestApi, id: string): Promise<void> {
  await api.test.sql`
    UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() + interval '1 hour'
    WHERE id = ${id}`;
}

const ready = (api: TestApi, id: string) =>
  api.test.db.transaction((tx) => markFirstHeartbeat(tx, { workspaceId: id, attemptNo: 2 }));

async function noteOf(api: TestApi, id: string) {
  const [row] = await api.test.sql`
    SELECT q.status, q.attempts, a.status AS told, t.restart_context_at AS known
    FROM a2a_queue q JOIN activity a ON a.id = q.id
    JOIN attempts t ON t.workspace_id = q.workspace_id AND t.no = 2
    WHERE q.workspace_id = ${id} AND q.idempotency_key = ${`restart-context:${id}:2`}`;
  return row ?? {};
}

const messageIdOf = (body: Record<string, unknown>) =>
  (body as { params: { message: { messageId: string } } }).params.message.messageId;

it("C5: the note reaches the agent before what waits for it, and is no line of the chat", async () => {
  await using api = await createTestApi();
  await using agent = await startTestAgent();
  const id = await api.createWorkspace({ name: "Target" });
  await restartAt(api, id, agent.address);
  const sent = await api.call("POST", `/workspaces/${id}/a2a`, { body: message("hi", "m1") });
  expect(sent.status).toBe(202);
  // One that somebody has in hand when the agent becomes ready waits for nothing any more.
  await waitUntil("it was looked at and waits", async () => {
    const [row] = await api.test.sql`
      SELECT status = 'queued' AND next_action_at > cp_now() + interval '1 s' AS waits
      FROM a2a_queue WHERE workspace_id = ${id}`;
    return row?.waits === true;
  });
  await ready(api, id);
  await waitUntil("both have come", () => agent.calls.length === 2);
  expect(agent.calls.map((call) => messageIdOf(call.body))).toEqual([
    `restart-context:${id}:2`,
    "m1",
  ]);
  await waitUntil("the agent knows", async () => (await noteOf(api, id)).known);
  expect(await noteOf(api, id)).toMatchObject({ status: "completed", told: "ok" });
  const [seen] = await api.test.sql`
    SELECT count(*) FILTER (WHERE activity_type = 'a2a_receive')::int AS messages,
      (SELECT count(*)::int FROM events WHERE subject_id = ${id} AND event = 'A2A_RESPONSE'
        AND payload->>'message_id' LIKE 'restart-context:%') AS answers
    FROM activity WHERE workspace_id = ${id} AND source_id IS NULL AND method = 'message/send'`;
  expect(seen).toEqual({ messages: 1, answers: 0 });
  const activity = await api.call("GET", `/workspaces/${id}/activity?type=lifecycle`);
  const rows = (await activity.json()) as { summary: string }[];
  expect(rows.map((row) => row.summary)).toContain(
    "Telling Target what its restart changed (attempt 2)",
  );
});

it("C5: the beat that makes the agent ready sends the note, not the next look at the queue", async () => {
  await using api = await createTestApi({ pollMs: 3_600_000 });
  await using agent = await startTestAgent();
  const id = await api.createWorkspace({ name: "Target" });
  await restartAt(api, id, agent.address);
  const token = randomBytes(32).toString("base64url");
  const digest = createHash("sha256").update(token).digest();
  await api.test.sql`
    INSERT INTO workspace_tokens (workspace_id, attempt_no, kind, token_sha256, prefix)
    VALUES (${id}, 2, 'attempt', ${digest}, 'x')`;
  const beat = await api.call("POST", "/registry/heartbeat", { token, body: { workspace_id: id } });
  expect(beat.status).toBe(200);
  await waitUntil("the note has come", () => agent.calls.length === 1);
  expect(agent.calls.map((call) => messageIdOf(call.body))).toEqual([`restart-context:${id}:2`]);
});

it("C7: a note whose connection broke, or whose server was killed, comes again under its id", async () => {
  await using api = await createTestApi();
  await using agent = await startTestAgent();
  const id = await api.createWorkspace({ name: "Target" });
  await restartAt(api, id, agent.address);
  agent.behave((_call, _res, req) => void req.socket.destroy());
  await ready(api, id);
  await waitUntil("it broke once", async () => (await noteOf(api, id)).attempts === 1);
  expect((await noteOf(api, id)).known).toBeNull();
  // As a server that was killed after the first byte leaves it.
  await api.test.sql`
    UPDATE a2a_queue SET status = 'dispatched', dispatched_at = cp_now(), lease_owner = 'dead',
      lease_until = cp_now() - interval '1 s', next_action_at = cp_now() WHERE workspace_id = ${id}`;
  agent.behave(saying(""));
  await waitUntil("the agent knows", async () => (await noteOf(api, id)).known);
  const ids = new Set(agent.calls.map((call) => messageIdOf(call.body)));
  expect([...ids]).toEqual([`restart-context:${id}:2`]);
  expect(agent.calls.length).toBeGreaterThanOrEqual(2);
});

it("P6: whoever waits for a turn that a restart broke off is told that, not that somebody stopped it", async () => {
  await using api = await createTestApi();
  await using agent = await startTestAgent();
  const id = await api.createWorkspace({ name: "Target" });
  await runAt(api, id, agent.address);
  agent.behave(async (call, res) => {
    // As BEGIN leaves it before it stops the agent, whose last words are that the turn was cancelled.
    await runAt(api, id, agent.address);
    const result = { kind: "task", id: "t", contextId: "c", status: { state: "canceled" } };
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result }));
  });
  await api.call("POST", `/workspaces/${id}/a2a`, { body: message("count", "m1") });
  const [row] = await api.test.sql`
    SELECT status, error_detail FROM activity WHERE workspace_id = ${id} AND message_id = 'm1'`;
  expect(row).toEqual({
    status: "error",
    error_detail:
      "Target was restarted before this was finished. What it had done by then stays done.",
  });
});

it.each(["cancelled", "broken off"])(
  "P11: a queued message that a restart has %s comes once more, and not a third time",
  async (how) => {
    await using api = await createTestApi();
    await using agent = await startTestAgent();
    const id = await api.createWorkspace({ name: "Target" });
    await booting(api, id);
    const sent = await api.call("POST", `/workspaces/${id}/a2a`, { body: message("count", "m1") });
    expect(sent.status).toBe(202);
    agent.behave(async (call, res, req) => {
      await runAt(api, id, agent.address);
      if (how === "broken off") return void req.socket.destroy();
      const result = { kind: "task", id: "t", contextId: "c", status: { state: "canceled" } };
      res.setHeader("content-type", "application/json");
      res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result }));
    });
    await runAt(api, id, agent.address);
    const row = await waitUntil("it has ended", async () => {
      const [found] = await api.test.sql`
        SELECT a.status, a.error_detail, q.interruptions FROM activity a
        JOIN a2a_queue q ON q.id = a.id WHERE a.workspace_id = ${id} AND message_id = 'm1'`;
      return found?.status === "error" ? found : null;
    });
    expect(agent.calls.map((call) => messageIdOf(call.body))).toEqual(["m1", "m1"]);
    expect(row.interruptions).toBe(1);
    expect(row.error_detail).toContain(how === "cancelled" ? "was restarted" : "broke");
  },
);

it("P11: a queued message whose agent crashed is not sent again", async () => {
  await using api = await createTestApi();
  await using agent = await startTestAgent();
  const id = await api.createWorkspace({ name: "Target" });
  await booting(api, id);
  await api.call("POST", `/workspaces/${id}/a2a`, { body: message("count", "m1") });
  agent.behave(async (_call, _res, req) => {
    await runAt(api, id, agent.address);
    await api.test.sql`
      UPDATE attempts SET reason = 'crash' WHERE workspace_id = ${id} AND no = 2`;
    req.socket.destroy();
  });
  await runAt(api, id, agent.address);
  await waitUntil("it has ended", async () => {
    const [found] = await api.test.sql`
      SELECT status FROM activity WHERE workspace_id = ${id} AND message_id = 'm1'`;
    return found?.status === "error";
  });
  expect(agent.calls).toHaveLength(1);
});

it("C6: a note never reaches another attempt and wakes nobody", async () => {
  await using api = await createTestApi();
  await using agent = await startTestAgent();
  const id = await api.createWorkspace({ name: "Target" });
  await restartAt(api, id, agent.address);
  await api.test.sql`UPDATE workspaces SET intent = 'hibernated' WHERE id = ${id}`;
  await api.test.sql`
    INSERT INTO activity (workspace_id, activity_type, summary, message_id)
    VALUES (${id}, 'lifecycle', 'note', ${`restart-context:${id}:2`})`;
  await api.test.sql`
    INSERT INTO a2a_queue (id, workspace_id, body, method, idempotency_key, next_action_at)
    SELECT id, workspace_id, '{}', 'message/send', message_id, cp_now() FROM activity
    WHERE message_id = ${`restart-context:${id}:2`}`;
  await waitUntil("it is taken back", async () => (await noteOf(api, id)).status === "dropped");
  const [row] = await api.test.sql`SELECT intent FROM workspaces WHERE id = ${id}`;
  expect(row?.intent).toBe("hibernated");
  expect(agent.calls).toEqual([]);
});
