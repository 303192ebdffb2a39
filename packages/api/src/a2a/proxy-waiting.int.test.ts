import { PROBE_CHANNEL } from "@molecule/db/events/append-event";
import { makeReady } from "@molecule/db/lifecycle/mark-registered";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import { openProxyBed } from "./proxy-bed.fixture.ts";
import { message, saying } from "./test-agent.fixture.ts";

const bed = openProxyBed();
const { send, rows, items, ended } = bed;

describe("an agent that is not ready", () => {
  it("gets the message when it is, once", async () => {
    await bed.api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${bed.id}`;
    const response = await send(message("hi", "wait"));
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ queued: true, queue_depth: 1, position: 1 });
    expect((await send(message("hi", "wait"))).status).toBe(202);
    await bed.api.test
      .sql`UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = ${bed.id}`;
    await bed.api.call("POST", "/registry/heartbeat", {
      token: await bed.api.tokenOf(bed.id),
      body: { workspace_id: bed.id },
    });
    await ended("ok");
    expect(bed.agent.calls).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  it("P12: gets the message that was being looked at when it became ready", async () => {
    const { sql } = bed.api.test;
    await sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${bed.id}`;
    // Between the look and the message's being put back, for a time that nobody would wait for.
    await sql.unsafe(`CREATE FUNCTION become_ready() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = NEW.workspace_id;
        NEW.next_action_at := cp_now() + interval '1 hour';
        RETURN NEW;
      END $$`);
    await sql.unsafe(`CREATE TRIGGER become_ready BEFORE UPDATE ON a2a_queue FOR EACH ROW
      WHEN (OLD.status = 'dispatched' AND NEW.status = 'queued') EXECUTE FUNCTION become_ready()`);
    try {
      expect((await send(message("hi", "looked at"))).status).toBe(202);
      await sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${bed.id}`;
      await ended("ok");
    } finally {
      await sql.unsafe("DROP FUNCTION become_ready() CASCADE");
    }
  });

  it("P12: gets what waits also when a worker makes it ready", async () => {
    const { db, sql } = bed.api.test;
    await sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${bed.id}`;
    await sql`UPDATE attempts SET outcome = NULL, ended_at = NULL, ready_at = NULL
      WHERE workspace_id = ${bed.id}`;
    expect((await send(message("hi", "worker"))).status).toBe(202);
    await sql`UPDATE a2a_queue SET next_action_at = cp_now() + interval '1 hour'
      WHERE workspace_id = ${bed.id} AND status = 'queued'`;
    const [row] = await sql`SELECT current_attempt FROM workspaces WHERE id = ${bed.id}`;
    const attemptNo = Number(row?.current_attempt);
    expect(await db.transaction((tx) => makeReady(tx, { workspaceId: bed.id, attemptNo }))).toBe(
      true,
    );
    await ended("ok");
  });

  it("is probed soon when a message found nobody, or lost who answered it", async () => {
    let asked = 0;
    const unlisten = await bed.api.test.db.listen(PROBE_CHANNEL, () => {
      asked += 1;
    });
    const atFirst = asked;
    bed.agent.behave((_call, _res, req) => void req.socket.destroy());
    expect((await send(message("hi", "broken"))).status).toBe(502);
    await waitUntil("a probe is asked for", () => asked === atFirst + 1);
    await bed.agent.close();
    expect((await send(message("hi", "refused"))).status).toBe(202);
    await waitUntil("a probe is asked for again", () => asked > atFirst + 1);
    await unlisten();
  });

  it("gets waiting messages in the order they came", async () => {
    await bed.api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${bed.id}`;
    for (const text of ["one", "two", "three"]) await send(message(text, text));
    await bed.api.test
      .sql`UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = ${bed.id}`;
    await bed.api.test
      .sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${bed.id}`;
    await waitUntil("all are delivered", () => bed.agent.calls.length === 3);
    const order = bed.agent.calls.map(
      (call) => (call.body.params as { message: { messageId: string } }).message.messageId,
    );
    expect(order).toEqual(["one", "two", "three"]);
  });

  it("gets as many waiting messages at once as it takes, and more when it takes more", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    bed.agent.behave(async (call, res, req) => {
      await held;
      await saying("done")(call, res, req);
    });
    await bed.api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${bed.id}`;
    for (const text of ["1", "2", "3", "4", "5"]) await send(message(text, text));
    const sent = async () => (await items()).filter((item) => item.dispatched_at !== null).length;
    const waitFor = (count: number) =>
      waitUntil(`${count} are sent`, async () => {
        await bed.api.test.sql`UPDATE a2a_queue SET next_action_at = cp_now()
          WHERE workspace_id = ${bed.id} AND status = 'queued'`;
        return (await sent()) === count;
      });
    await bed.api.test
      .sql`UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = ${bed.id}`;
    await waitFor(1);
    const patched = await bed.api.call("PATCH", `/workspaces/${bed.id}`, {
      body: { max_concurrent_tasks: 3 },
    });
    expect(patched.status).toBe(200);
    const row = await (await bed.api.call("GET", `/workspaces/${bed.id}`)).json();
    expect(row).toMatchObject({ max_concurrent_tasks: 3 });
    await waitFor(3);
    expect(bed.agent.calls.length).toBeLessThanOrEqual(3);
    // The others wait and have not failed.
    expect((await rows()).map((one) => one.status)).toEqual([
      "pending",
      "pending",
      "pending",
      "queued",
      "queued",
    ]);
    release();
    await waitUntil("all are answered", async () =>
      (await rows()).every((one) => one.status === "ok"),
    );
    expect(bed.agent.calls).toHaveLength(5);
  });

  it.each([
    ["paused", "paused"],
    ["deleted", "removed"],
  ])("is answered clearly when it is %s", async (intent, word) => {
    await bed.api.test.sql`UPDATE workspaces SET intent = ${intent} WHERE id = ${bed.id}`;
    const response = await send(message("hi"));
    expect(response.status).toBe(intent === "deleted" ? 410 : 503);
    expect((await response.text()).toLowerCase()).toContain(word);
    expect(await rows()).toHaveLength(0);
  });

  it("is woken when it sleeps", async () => {
    await bed.api.test
      .sql`UPDATE workspaces SET intent = 'hibernated', phase = 'PAUSED' WHERE id = ${bed.id}`;
    const response = await send(message("hi"));
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("15");
    expect(await response.json()).toMatchObject({ waking: true, retry_after: 15 });
    const [row] = await bed.api.test
      .sql`SELECT intent, start_reason FROM workspaces WHERE id = ${bed.id}`;
    expect(row).toMatchObject({ intent: "run", start_reason: "wake" });
  });

  it("gets what woke it once it is awake, once, however often it was sent", async () => {
    await bed.api.test
      .sql`UPDATE workspaces SET intent = 'hibernated', phase = 'PAUSED' WHERE id = ${bed.id}`;
    const first = await send(message("wake up", "dawn"));
    expect(await first.json()).toMatchObject({ waking: true, queued: true });
    const again = await send(message("wake up", "dawn"));
    expect([202, 503]).toContain(again.status);
    expect(bed.agent.calls).toHaveLength(0);
    await bed.api.test.sql`UPDATE workspaces SET phase = 'READY' WHERE id = ${bed.id}`;
    await bed.api.test
      .sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${bed.id}`;
    await ended("ok");
    expect(bed.agent.calls).toHaveLength(1);
  });

  it("is woken by a message that waited when it fell asleep", async () => {
    await bed.api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() + interval '1 hour' WHERE id = ${bed.id}`;
    expect((await send(message("hi", "waits"))).status).toBe(202);
    await bed.api.test
      .sql`UPDATE workspaces SET intent = 'hibernated', phase = 'PAUSED', deadline_at = NULL WHERE id = ${bed.id}`;
    await bed.api.test
      .sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${bed.id}`;
    await waitUntil("it is woken", async () => {
      const [row] = await bed.api.test.sql`SELECT intent FROM workspaces WHERE id = ${bed.id}`;
      return row?.intent === "run";
    });
  });
});

describe("a server that was killed in the middle of a delivery", () => {
  const orphan = async (taskId: string | null) => {
    await bed.agent.close();
    await send(message("hi", "orphan"));
    await bed.agent.reopen();
    await bed.api.test.sql`UPDATE a2a_queue SET status = 'dispatched', dispatched_at = cp_now(),
      lease_owner = 'dead', lease_until = cp_now() - interval '1 s', next_action_at = cp_now(),
      task_id = ${taskId} WHERE workspace_id = ${bed.id}`;
  };

  it("leaves a row that says what happened, and the message is not sent again", async () => {
    await orphan(null);
    expect((await ended("error")).error_detail).toContain("platform restarted while the agent");
    expect(bed.agent.calls).toHaveLength(0);
  });

  it("loses no answer when the agent still knows the task", async () => {
    bed.agent.behave((call, res) => {
      const artifacts = [{ artifactId: "a", parts: [{ kind: "text", text: "found again" }] }];
      const result = { kind: "task", id: "t9", status: { state: "completed" }, artifacts };
      res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result }));
    });
    await orphan("t9");
    const row = await ended("ok");
    expect(row.response_body.result.artifacts[0].parts[0].text).toBe("found again");
    expect(bed.agent.calls.map((call) => call.body.method)).toEqual(["tasks/get"]);
  });

  it("says so when the agent has forgotten the task", async () => {
    bed.agent.behave((call, res) => {
      const error = { code: -32001, message: "Task not found" };
      res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, error }));
    });
    await orphan("t9");
    expect((await ended("error")).error_detail).toContain("platform restarted while the agent");
  });
});
