import { beforeEach, describe, expect, it } from "vitest";
import { openProxyBed } from "./proxy-bed.fixture.ts";
import { message, runAt, saying, startTestAgent } from "./test-agent.fixture.ts";

const bed = openProxyBed();
const { send, rows, items } = bed;

const sql = (text: TemplateStringsArray, ...values: readonly string[]) =>
  bed.api.test.sql(text, ...values);
// Those that take few at once are counted under a lock, and every message goes the whole way.
beforeEach(async () => {
  await sql`UPDATE workspaces SET max_concurrent_tasks = 500 WHERE id = ${bed.id}`;
});
interface Said {
  readonly result?: { readonly parts: readonly { readonly text: string }[] };
}
const said = async (response: Response) => ((await response.json()) as Said).result?.parts[0]?.text;

describe("P13: an agent that is as it was at its last message", () => {
  it("is written to as before: question, answer, item and events are the same", async () => {
    const events = async () => {
      const told = await sql`SELECT event FROM events WHERE subject_id = ${bed.id} ORDER BY id`;
      return told.map((row) => row.event);
    };
    const atFirst = (await events()).length;
    await send(message("one", "m1"));
    const ofFirst = (await events()).slice(atFirst);
    expect(bed.api.deps.knownTargets.recall(bed.id)).not.toBeNull();
    await send(message("two", "m2"));
    const ofSecond = (await events()).slice(atFirst + ofFirst.length);
    expect(ofSecond).toEqual(ofFirst);
    const [first, second] = await rows();
    expect(Object.keys(second ?? {})).toEqual(Object.keys(first ?? {}));
    expect(second).toMatchObject({
      status: "ok",
      method: first?.method,
      actor_name: first?.actor_name,
      summary: first?.summary,
      message_id: "m2",
      request_body: message("two", "m2"),
    });
    expect((await items()).map((item) => item.status)).toEqual(["completed", "completed"]);
  });

  it("is not asked twice for a message it has had", async () => {
    await send(message("one", "m1"));
    await send(message("two", "m2"));
    expect(await said(await send(message("two", "m2")))).toBe("hello");
    expect(bed.agent.calls).toHaveLength(2);
  });

  it("is written to at its new address after a restart", async () => {
    await send(message("one", "m1"));
    await using next = await startTestAgent();
    next.behave(saying("I am new"));
    await runAt(bed.api, bed.id, next.address);
    expect(await said(await send(message("two", "m2")))).toBe("I am new");
    expect(bed.agent.calls).toHaveLength(1);
  });

  it("is not written to any more once it is paused, removed, or over its budget", async () => {
    const sendsAfter = async (change: () => Promise<unknown>, status: number) => {
      await send(message("one", crypto.randomUUID()));
      const calls = bed.agent.calls.length;
      await change();
      expect((await send(message("two", crypto.randomUUID()))).status).toBe(status);
      expect(bed.agent.calls).toHaveLength(calls);
    };
    const { id } = bed;
    await sendsAfter(
      () => sql`UPDATE workspaces SET budget_limit = 5, monthly_spend = 5 WHERE id = ${id}`,
      402,
    );
    await sql`UPDATE workspaces SET budget_limit = NULL WHERE id = ${id}`;
    await sendsAfter(() => sql`UPDATE workspaces SET intent = 'paused' WHERE id = ${id}`, 503);
    await sql`UPDATE workspaces SET intent = 'run' WHERE id = ${id}`;
    await sendsAfter(
      () => sql`UPDATE workspaces SET intent = 'deleted', removed_at = now() WHERE id = ${id}`,
      410,
    );
  });
});

describe("P14: a connection to an agent", () => {
  it("is used again by what follows at once, and a message is never sent twice for it", async () => {
    const sockets = new Set<unknown>();
    bed.agent.behave((call, res, req) => {
      sockets.add(req.socket);
      return saying("hello")(call, res, req);
    });
    for (let n = 0; n < 4; n += 1) await send(message("hi", `m${n}`));
    expect(bed.agent.calls).toHaveLength(4);
    expect(sockets.size).toBeLessThan(4);
  });

  it("that the agent closed after its answer is made anew", async () => {
    bed.agent.behave((call, res, req) => {
      res.on("finish", () => req.socket.destroy());
      return saying("hello")(call, res, req);
    });
    for (let n = 0; n < 4; n += 1) {
      expect((await send(message("hi", `m${n}`))).status).toBe(200);
    }
    expect(bed.agent.calls).toHaveLength(4);
  });

  it("leads to nobody once the agent is gone: the message is known not to be sent", async () => {
    await send(message("hi", "m1"));
    await bed.agent.close();
    const response = await send(message("hi", "m2"));
    expect(response.status).toBe(202);
    expect((await items()).map((item) => item.status).sort()).toEqual(["completed", "queued"]);
  });
});
