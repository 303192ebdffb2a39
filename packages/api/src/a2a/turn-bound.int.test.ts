import { randomUUID } from "node:crypto";
import { acceptMessage } from "@molecule/db/queue/accept-message";
import { acceptOrdinary } from "@molecule/db/queue/ordinary-message";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import { openProxyBed } from "./proxy-bed.fixture.ts";
import { message, runAt, saying, startTestAgent } from "./test-agent.fixture.ts";

const bed = openProxyBed();
const { send, rows, items } = bed;

async function allow(count: number, id = bed.id): Promise<void> {
  await bed.api.test.sql`UPDATE workspaces SET max_concurrent_tasks = ${count} WHERE id = ${id}`;
}

/** An agent that answers when it is told to, and how many it works on at once. */
function holdAnswers() {
  const waiting: (() => void)[] = [];
  const seen = { now: 0, most: 0 };
  let isOpen = false;
  bed.agent.behave(async (call, res, req) => {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    if (!isOpen) await new Promise<void>((resolve) => waiting.push(resolve));
    seen.now -= 1;
    await saying("done")(call, res, req);
  });
  return {
    seen,
    release: () => {
      isOpen = true;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

const working = (count: number) =>
  waitUntil(`${count} are worked on`, () => bed.agent.calls.length === count);

describe("an agent that works on as many messages as it takes", () => {
  it("D7: keeps the next one in line, says it is busy and where the message stands", async () => {
    const agent = holdAnswers();
    const first = send(message("one", "1"));
    await working(1);
    const second = await send(message("two", "2"));
    expect(second.status).toBe(202);
    expect(await second.json()).toMatchObject({
      queued: true,
      queue_depth: 1,
      position: 1,
      message: expect.stringContaining("busy"),
    });
    expect(bed.agent.calls).toHaveLength(1);
    agent.release();
    expect((await first).status).toBe(200);
    await waitUntil("the second is answered", async () =>
      (await rows()).every((row) => row.status === "ok"),
    );
    expect(agent.seen.most).toBe(1);
  });

  it.each([1, 3])("D7: takes no more than %i of twelve that come at once", async (limit) => {
    await allow(limit);
    const agent = holdAnswers();
    const sent = Array.from({ length: 12 }, (_, n) => send(message(`n${n}`, `m${n}`)));
    await working(limit);
    await waitUntil("the others wait", async () => (await rows()).length === 12);
    expect(bed.agent.calls).toHaveLength(limit);
    agent.release();
    expect((await Promise.all(sent)).map((one) => one.status).sort()).toEqual([
      ...Array.from({ length: limit }, () => 200),
      ...Array.from({ length: 12 - limit }, () => 202),
    ]);
    await waitUntil("all are answered", async () =>
      (await rows()).every((row) => row.status === "ok"),
    );
    expect(agent.seen.most).toBe(limit);
    expect(bed.agent.calls).toHaveLength(12);
  });

  it("D7: is one agent for several servers", async () => {
    await allow(5);
    const { db } = bed.api.test;
    const leases = ["a", "b", "c"].map((owner) => ({ owner, leaseMs: 60_000 }));
    const accepted = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        db.transaction((tx) => acceptMessage(tx, messageTo(bed.id), leases[n % 3] ?? null)),
      ),
    );
    expect(accepted.filter((one) => one.kind === "new" && !one.isWaiting)).toHaveLength(5);
    expect(await acceptOrdinary(db, messageTo(bed.id), { owner: "a", leaseMs: 60_000 })).toBeNull();
    await bed.api.test.sql`DELETE FROM a2a_queue WHERE workspace_id = ${bed.id}`;
  });

  it("D7: takes what an agent asks back that it waits for, and refuses nobody", async () => {
    await using child = await startTestAgent();
    const childId = await bed.api.createWorkspace({ name: "Child", parent_id: bed.id });
    await runAt(bed.api, childId, child.address);
    await bed.api.call("POST", `/workspaces/${childId}/heartbeat`, {});
    const asked: number[] = [];
    child.behave(async (call, res, req) => {
      const back = await send(message("which one do you mean?", "back"), {
        token: await bed.api.tokenOf(childId),
      });
      asked.push(back.status);
      await saying("that one")(call, res, req);
    });
    bed.agent.behave(async (call, res, req) => {
      const text = JSON.stringify(call.body);
      if (text.includes("which one")) return await saying("the red one")(call, res, req);
      await bed.api.call("POST", `/workspaces/${childId}/a2a`, {
        token: await bed.api.tokenOf(bed.id),
        body: message("find it", "task"),
      });
      return await saying("found")(call, res, req);
    });
    expect((await send(message("where is it?", "ask"))).status).toBe(200);
    expect(asked).toEqual([200]);
  });

  it("D7: keeps nothing that was only for now, when the agent keeps its own sessions", async () => {
    await bed.api.test.sql`INSERT INTO liveness (workspace_id, capabilities)
      VALUES (${bed.id}, '{"session": true}')
      ON CONFLICT (workspace_id) DO UPDATE SET capabilities = '{"session": true}'`;
    const agent = holdAnswers();
    const first = send(message("one", "1"));
    await working(1);
    const second = await send(message("two", "2"));
    expect(second.status).toBe(503);
    expect(second.headers.get("retry-after")).toBe("30");
    expect(await second.json()).toMatchObject({
      busy: true,
      native_session: true,
      retry_after: 30,
    });
    const again = send(message("one", "1"));
    agent.release();
    expect((await first).status).toBe(200);
    expect((await again).status).toBe(200);
    expect(await items()).toHaveLength(1);
    expect((await send(message("two", "2"))).status).toBe(200);
  });
});

describe("a message that is taken and ended in one statement each", () => {
  it("leaves the rows and tells the events that the whole way does", async () => {
    await allow(1000);
    expect((await send(message("short", "fast"))).status).toBe(200);
    await allow(2);
    expect((await send(message("short", "slow"))).status).toBe(200);
    const [fast, slow] = await rows();
    expect(without(fast)).toEqual(without(slow));
    const [fastItem, slowItem] = await items();
    expect(without(fastItem)).toEqual(without(slowItem));
    const told = async (id: unknown) =>
      await bed.api.test.sql`SELECT event, subject_id, payload FROM events
        WHERE payload->>'id' = ${String(id)} OR payload->>'activity_id' = ${String(id)} ORDER BY id`;
    const ofFast = await told(fast?.id);
    expect(ofFast.map(without)).toEqual((await told(slow?.id)).map(without));
    expect(ofFast.map((one) => one.event)).toEqual([
      "ACTIVITY_LOGGED",
      "ACTIVITY_LOGGED",
      "A2A_RESPONSE",
    ]);
  });
});

function messageTo(targetId: string) {
  const messageId = randomUUID();
  return {
    targetId,
    targetName: "Target",
    callerId: null,
    actorName: "Ada",
    method: "message/send",
    messageId,
    envelope: message("hi", messageId),
  };
}

/** What differs between two messages, taken out wherever it stands. */
const OWN = /^(id|seq|txid|message_?[iI]d|activity_id|idempotency_key|duration_ms|.*_(at|until))$/;

function without(row: unknown): unknown {
  return JSON.parse(JSON.stringify(row, (key, value: unknown) => (OWN.test(key) ? null : value)));
}
