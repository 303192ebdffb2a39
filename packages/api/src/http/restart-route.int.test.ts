import { openDatabase } from "@molecule/db/database";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

let t: TestApi;
const statements: string[] = [];
beforeAll(async () => {
  t = await createTestApi({
    openDb: (url) =>
      openDatabase({ url, applicationName: "test", onStatement: (text) => statements.push(text) }),
  });
  // Nothing but what a test calls may speak to the database.
  await t.deps.dispatcher.stop(0);
});
afterAll(async () => await t[Symbol.asyncDispose]());
beforeEach(() => void statements.splice(0));

async function restart(id: string, key?: string, body?: unknown) {
  const response = await t.call("POST", `/workspaces/${id}/restart`, {
    ...(body === undefined ? {} : { body }),
    ...(key === undefined ? {} : { headers: { "idempotency-key": key } }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The driver's own, in small letters: the log is announced after the commit, and nobody waits for that. */
const isAnnouncement = (text: string) => text.startsWith("select pg_notify(");

/** Statements of the requests alone: no polling, no connection being opened. */
const counted = () =>
  statements.filter(
    (text) => !isAnnouncement(text) && !/pg_catalog|LISTEN|pg_snapshot|FROM "?events/i.test(text),
  );

describe("POST /workspaces/:id/restart", () => {
  it("P7: answers after a bounded number of database calls, whatever the platform holds", async () => {
    const id = await t.createWorkspace();
    await restart(id);
    const few = await countOf(id);
    for (let number = 0; number < 20; number += 1) await t.createWorkspace({ parent_id: id });
    await t.test.sql`
      INSERT INTO activity (workspace_id, activity_type, summary)
      SELECT ${id}, 'lifecycle', n::text FROM generate_series(1, 500) n`;
    expect(await countOf(id)).toBe(few);
    // One of them asks whether the agent could start with the keys it has.
    expect(few).toBeLessThanOrEqual(13);
  });

  async function countOf(id: string): Promise<number> {
    statements.splice(0);
    expect((await restart(id)).status).toBe(200);
    return counted().length;
  }

  it("P7: is one click per Idempotency-Key, and a repeat is answered the same and changes nothing", async () => {
    const id = await t.createWorkspace();
    const seen = async () => (await t.test.sql`SELECT * FROM workspaces WHERE id = ${id}`)[0];
    const first = await restart(id, "c1");
    const before = await seen();
    expect(before?.force_seq).toBe("1");
    expect(await restart(id, "c1")).toEqual(first);
    expect(await seen()).toEqual(before);
    await restart(id, "c2");
    expect((await seen())?.force_seq).toBe("2");
  });

  it("P7: explains and does nothing else for an external agent; its token works on", async () => {
    const created = await t.call("POST", "/workspaces", {
      body: { name: "Ext", runtime: "external" },
    });
    const { id, connection } = (await created.json()) as {
      id: string;
      connection: { auth_token: string };
    };
    const everything = async () => [
      await t.test.sql`SELECT * FROM workspaces WHERE id = ${id}`,
      await t.test
        .sql`SELECT id, kind, attempt_no, revoked_at FROM workspace_tokens WHERE workspace_id = ${id}`,
      await t.test.sql`SELECT no FROM attempts WHERE workspace_id = ${id}`,
      await t.test.sql`SELECT id, event FROM events WHERE subject_id = ${id} ORDER BY id`,
    ];
    const before = await everything();
    const answer = await restart(id, "c1", { reset: true, template: "" });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ attempt: null, reset_session: false });
    expect(answer.body.message).toContain("runs outside the platform");
    expect(await everything()).toEqual(before);
    const state = await t.call("GET", `/workspaces/${id}/state`, { token: connection.auth_token });
    expect(state.status).toBe(200);
  });
});

describe("provision_timeout_ms", () => {
  it("P3: is what a start is held to, and absent where ten minutes hold for everybody", async () => {
    const id = await t.createWorkspace();
    const shown = async () =>
      ((await (await t.call("GET", `/workspaces/${id}`)).json()) as Record<string, unknown>)
        .provision_timeout_ms;
    expect(await shown()).toBeUndefined();
    await t.test.sql`
      UPDATE workspaces SET config = jsonb_set(config, '{extra}',
        '{"runtime_config":{"provision_timeout_seconds":90}}') WHERE id = ${id}`;
    expect(await shown()).toBe(90_000);
    await using strict = await createTestApi({ platform: { startTimeoutMs: 5_000 } });
    const other = await strict.createWorkspace();
    const row = await (await strict.call("GET", `/workspaces/${other}`)).json();
    expect((row as Record<string, unknown>).provision_timeout_ms).toBe(5_000);
  });
});
