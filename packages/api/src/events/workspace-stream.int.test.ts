import { openDatabase } from "@molecule/db/database";
import { appendEvent } from "@molecule/db/events/append-event";
import { trimEvents } from "@molecule/db/events/trim-events";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, TEST_ADMIN_TOKEN, type TestApi } from "../api.fixture.ts";

interface Row {
  readonly event_type: string;
  readonly workspace_id: string;
  readonly cursor: string;
  readonly payload: Record<string, unknown>;
}

let t: TestApi;
let base: string;
beforeAll(async () => {
  t = await createTestApi();
  base = await t.listen();
});
afterAll(() => t[Symbol.asyncDispose]());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const rename = (id: string, name: string) =>
  t.call("PATCH", `/workspaces/${id}`, { body: { name } });
const listed = async (target: string): Promise<Row[]> => {
  await t.test.logReadable();
  return (await (await t.call("GET", target)).json()) as Row[];
};

/** Reads server-sent events until it is closed. */
async function follow(id: string, headers: Record<string, string>) {
  const abort = new AbortController();
  const response = await fetch(`${base}/workspaces/${id}/events/stream`, {
    headers,
    signal: abort.signal,
  });
  const state = { text: "", hasEnded: false };
  const reading = (async () => {
    for await (const chunk of response.body ?? []) state.text += Buffer.from(chunk).toString();
  })()
    .catch(() => undefined)
    .finally(() => {
      state.hasEnded = true;
    });
  const events = () =>
    [...state.text.matchAll(/^id: (\S+)\ndata: (\{"type".*\})$/gm)].map(([, cursor, data]) => ({
      cursor: String(cursor),
      ...(JSON.parse(String(data)) as { type: string; timestamp: number; data: object }),
    }));
  const live = () => waitUntil("it is live", () => state.text.includes('"control":"live"'));
  const close = async () => {
    abort.abort();
    await reading;
  };
  return { status: response.status, state, events, live, close };
}

describe("the stream of one workspace", () => {
  it("is for people, the operator and the workspace itself", async () => {
    const id = await t.createWorkspace();
    const peer = await t.createWorkspace();
    const statusOf = async (token: string | null) =>
      (await t.call("GET", `/workspaces/${id}/events/stream`, { token })).status;
    expect(await statusOf(null)).toBe(401);
    expect(await statusOf("wrong")).toBe(401);
    expect(await statusOf(await t.tokenOf(peer))).toBe(401);
    for (const token of [TEST_ADMIN_TOKEN, await t.tokenOf(id)]) {
      const stream = await follow(id, bearer(token));
      expect(stream.status).toBe(200);
      await stream.close();
    }
    await t.call("DELETE", `/workspaces/${peer}?confirm=true`);
    expect((await t.call("GET", `/workspaces/${peer}/events/stream`)).status).toBe(410);
  });

  it("has its own events in the contract's form, goes on where it was broken off, and misses none", async () => {
    const id = await t.createWorkspace();
    const other = await t.createWorkspace();
    const token = await t.tokenOf(id);
    const first = await follow(id, bearer(token));
    await first.live();
    expect(first.state.text.startsWith(": ping\n")).toBe(true);
    await rename(other, "Unheard");
    await rename(id, "Heard");
    const heard = await waitUntil("it is heard", () =>
      first.events().find(({ type }) => type === "WORKSPACE_UPDATED"),
    );
    await first.close();
    expect(heard.data).toEqual({ changed: ["name"] });
    expect(Math.abs(heard.timestamp - Date.now())).toBeLessThan(600_000);
    await rename(id, "Missed");
    await rename(other, "Unheard again");
    await rename(id, "Missed too");
    await t.test.logReadable();
    const cursor = first.events().at(-1)?.cursor ?? "";
    const again = await follow(id, { ...bearer(token), "last-event-id": cursor });
    await waitUntil(
      "it has both",
      () => again.events().filter(({ type }) => type === "WORKSPACE_UPDATED").length === 2,
    );
    expect(again.state.text).not.toContain("Unheard");
    expect(first.state.text).not.toContain(other);
    await again.close();
  });

  it("ends when its token is taken back", async () => {
    const id = await t.createWorkspace();
    const stream = await follow(id, bearer(await t.tokenOf(id)));
    await stream.live();
    await t.test.sql`UPDATE workspace_tokens SET revoked_at = cp_now() WHERE workspace_id = ${id}`;
    await t.test.sql`SELECT pg_notify('cp_sessions', '')`;
    await waitUntil("it has ended", () => stream.state.hasEnded);
  });
});

describe("GET /events", () => {
  it("goes on from a cursor of any of the streams, the oldest first, of all or of one workspace", async () => {
    const id = await t.createWorkspace();
    const other = await t.createWorkspace();
    const [newest] = await listed(`/events/${id}`);
    const cursor = newest?.cursor ?? "";
    await rename(id, "One");
    await rename(other, "Other");
    await rename(id, "Two");
    const types = (rows: Row[]) =>
      rows.filter((row) => row.event_type === "WORKSPACE_UPDATED").map((row) => row.workspace_id);
    expect(types(await listed(`/events/${id}?after=${cursor}`))).toEqual([id, id]);
    const all = await listed(`/events?after=${cursor}`);
    expect(types(all)).toEqual([id, other, id]);
    const rest = await listed(`/events?after=${all[0]?.cursor}`);
    expect(rest.map((row) => row.cursor)).toEqual(all.slice(1).map((row) => row.cursor));
    expect(await listed(`/events?after=${all.at(-1)?.cursor}`)).toEqual([]);
    const stream = await follow(id, { ...bearer(TEST_ADMIN_TOKEN), "last-event-id": cursor });
    await waitUntil("the stream has them too", () => stream.events().length > 0);
    expect(all.map((row) => row.cursor)).toContain(stream.events()[0]?.cursor);
    await stream.close();
  });

  it("refuses agents and strangers, a cursor that is none, and one that the log has forgotten", async () => {
    const id = await t.createWorkspace();
    const statusOf = async (target: string, token?: string | null) =>
      (await t.call("GET", target, token === undefined ? {} : { token })).status;
    for (const target of ["/events", `/events/${id}`, "/events?after=1.1"]) {
      expect(await statusOf(target, null)).toBe(401);
      expect(await statusOf(target, await t.tokenOf(id))).toBe(401);
    }
    for (const cursor of ["", "x", "1", "1.1.1", "999999999999999.1"]) {
      expect([cursor, await statusOf(`/events?after=${cursor}`)]).toEqual([
        cursor,
        cursor.startsWith("9") ? 410 : 400,
      ]);
    }
    const [oldest] = (await listed(`/events/${id}`)).reverse();
    for (let n = 0; n < 4; n += 1) await rename(id, `N${n}`);
    await t.test.logReadable();
    await trimEvents(t.test.db, { days: 7, rows: 2 });
    expect(await statusOf(`/events?after=${oldest?.cursor}`)).toBe(410);
  });
});

describe("an event that is not as its schema says", () => {
  const wrong = { event: "TASK_UPDATED", subjectId: null, payload: { current_task: 5 } } as const;

  it("fails whoever tells it in a test, and nothing of that transaction stays", async () => {
    const id = await t.createWorkspace();
    const telling = t.test.db.transaction((tx) => appendEvent(tx, { ...wrong, subjectId: id }));
    await expect(telling).rejects.toThrow("TASK_UPDATED: current_task");
    const rows = await t.test.sql`
      SELECT 1 FROM events WHERE subject_id = ${id} AND event = 'TASK_UPDATED'`;
    expect(rows).toHaveLength(0);
  });

  it("is logged in production, and told", async () => {
    const id = await t.createWorkspace();
    const problems: string[] = [];
    const db = openDatabase({
      url: t.test.url,
      applicationName: "production",
      maxConnections: 1,
      onWrongEvent: (problem) => problems.push(problem),
    });
    await db.transaction((tx) => appendEvent(tx, { ...wrong, subjectId: id }));
    await db.close();
    expect(problems).toEqual([expect.stringContaining("TASK_UPDATED: current_task")]);
    const rows = await t.test.sql`
      SELECT 1 FROM events WHERE subject_id = ${id} AND event = 'TASK_UPDATED'`;
    expect(rows).toHaveLength(1);
  });

  it("is logged when it is about this moment only", () => {
    const before = t.warnings.length;
    const live = { event: "WORKSPACE_HEARTBEAT", workspace_id: "w", timestamp: "" } as const;
    t.deps.live.emit({ ...live, payload: { active_tasks: 0, uptime_seconds: 1 } });
    expect(t.warnings).toHaveLength(before);
    t.deps.live.emit({ ...live, payload: {} });
    expect(t.warnings.at(-1)).toContain("WORKSPACE_HEARTBEAT: active_tasks");
  });
});
