import { MAX_INSTRUCTIONS } from "@molecule/domain/instructions";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

const NOWHERE = "00000000-0000-4000-8000-000000000000";

let api: TestApi;
let id: string;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  id = await api.createWorkspace();
});

type Row = Record<string, unknown>;
async function ask(method: string, target: string, body?: Row): Promise<[number, Row]> {
  const response = await api.call(method, target, body === undefined ? {} : { body });
  return [response.status, (await response.json()) as Row];
}

describe("instructions", () => {
  const resolved = async (of: string) =>
    (await ask("GET", `/workspaces/${of}/instructions/resolve`))[1];

  it("IN1 are told for everybody first, then for the workspace, by priority, enabled ones only", async () => {
    const other = await api.createWorkspace();
    expect(await resolved(id)).toEqual({ workspace_id: id, instructions: "" });
    const create = (body: Row) => ask("POST", "/instructions", body);
    await create({ content: "Only here.", workspace_id: id, priority: 1000 });
    await create({ title: "Tone", content: "Be brief.\n" });
    const [status, first] = await create({ content: "Never guess.", priority: 5 });
    expect([status, first]).toEqual([
      201,
      {
        id: expect.any(String),
        workspace_id: null,
        title: "",
        content: "Never guess.",
        priority: 5,
        enabled: true,
        created_at: expect.stringMatching(/Z$/),
        updated_at: expect.stringMatching(/Z$/),
      },
    ]);
    await create({ content: "off", enabled: false });
    expect((await resolved(id)).instructions).toBe(
      "Never guess.\n\n# Tone\n\nBe brief.\n\nOnly here.",
    );
    expect((await resolved(other)).instructions).toBe("Never guess.\n\n# Tone\n\nBe brief.");
    const at = `/instructions/${first.id}`;
    expect(await ask("PATCH", at, { content: "Ask.", priority: -1, unknown: 1 })).toMatchObject([
      200,
      { content: "Ask.", priority: -1, enabled: true },
    ]);
    expect((await resolved(other)).instructions).toBe("# Tone\n\nBe brief.\n\nAsk.");
    expect(await ask("DELETE", at)).toEqual([200, { status: "deleted" }]);
    for (const gone of [at, `/instructions/${NOWHERE}`, "/instructions/x"]) {
      expect((await ask("DELETE", gone))[0]).toBe(404);
      expect((await ask("PATCH", gone, { content: "x" }))[0]).toBe(404);
    }
    expect((await ask("GET", "/instructions"))[1]).toHaveLength(3);
    expect((await ask("GET", `/instructions?workspace_id=${id}`))[1]).toHaveLength(1);
    await api.call("DELETE", `/workspaces/${id}?confirm=true`);
    expect((await ask("POST", "/instructions", { content: "x", workspace_id: id }))[0]).toBe(410);
  });

  it("refuse what is missing or wrong", async () => {
    const refused: readonly (readonly [string, Row, number])[] = [
      ["nothing", {}, 400],
      ["spaces", { content: " " }, 400],
      ["a long text", { content: "x".repeat(20_001) }, 400],
      ["no UUID", { content: "x", workspace_id: "x" }, 400],
      ["an unknown workspace", { content: "x", workspace_id: NOWHERE }, 404],
      ["a priority out of range", { content: "x", priority: 1e9 }, 400],
      ["a title of two lines", { content: "x", title: "a\nb" }, 400],
    ];
    for (const [name, body, status] of refused) {
      expect((await ask("POST", "/instructions", body))[0], name).toBe(status);
    }
    expect((await ask("GET", "/instructions?workspace_id=x"))[0]).toBe(400);
  });

  it("have room for so many, also when they come at once, and are the operator's", async () => {
    await api.test.sql`INSERT INTO instructions (workspace_id, content)
      SELECT ${id}, 'x' FROM generate_series(1, ${MAX_INSTRUCTIONS - 1})`;
    const body = { content: "\u0000\ud800", workspace_id: id };
    const answers = await Promise.all([1, 2, 3].map(() => ask("POST", "/instructions", body)));
    expect(answers.map(([status]) => status).toSorted()).toEqual([201, 429, 429]);
    const token = await api.tokenOf(id);
    for (const [method, target] of [
      ["GET", "/instructions"],
      ["POST", "/instructions"],
      ["PATCH", `/instructions/${NOWHERE}`],
      ["DELETE", `/instructions/${NOWHERE}`],
      ["POST", `/admin/workspaces/${id}/bootstrap-failed`],
    ] as const) {
      expect((await api.call(method, target, { token })).status, target).toBe(401);
    }
  });
});

describe("bootstrap-failed", () => {
  const report = (of: string, body: Row) =>
    ask("POST", `/admin/workspaces/${of}/bootstrap-failed`, body);
  const boot = async () => {
    await api.test.sql`UPDATE workspaces SET current_attempt = 1, phase = 'BOOTING',
      deadline_at = cp_now() + interval '10 minutes', next_action_at = cp_now() + interval '5 minutes'
      WHERE id = ${id}`;
    await api.test
      .sql`INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name, lease_epoch)
      VALUES (${id}, 1, 'create', '{}', 'platform', 'Molecule', 1)`;
  };

  it("notes once what the machine of the booting attempt says, without secrets", async () => {
    await api.call("PUT", `/workspaces/${id}/secrets`, {
      body: { key: "A_KEY", value: "hunter22" },
    });
    await boot();
    expect(await report(id, { error: "x", attempt: 7 })).toEqual([
      200,
      { ok: true, no_change: true },
    ]);
    const log_tail = `${"y".repeat(9_000)} hunter22 \u0000 end`;
    expect(await report(id, { error: "no boot", log_tail })).toEqual([200, { ok: true }]);
    expect(await report(id, { error: "again" })).toEqual([200, { ok: true, no_change: true }]);
    const [row] = await api.test.sql`
      SELECT a.log_excerpt, w.phase, w.next_action_at <= cp_now() AS is_due
      FROM workspaces w JOIN attempts a ON a.workspace_id = w.id WHERE w.id = ${id}`;
    // The reconciler alone ends the attempt.
    expect(row).toMatchObject({ phase: "BOOTING", is_due: true });
    expect(row?.log_excerpt).toHaveLength(8_192);
    expect(row?.log_excerpt).toMatch(/y •••••• \ufffd end$/);
    const seen = await api.test
      .sql`SELECT attempt_no, kind FROM observations WHERE workspace_id = ${id}`;
    expect(seen.map((one) => [Number(one.attempt_no), one.kind])).toEqual([[1, "exited"]]);
  });

  it("changes nothing while nothing boots, and knows who is unknown or removed", async () => {
    const nothing = [200, { ok: true, no_change: true }];
    expect(await report(id, {})).toEqual(nothing);
    await boot();
    await api.test.sql`UPDATE workspaces SET intent = 'paused' WHERE id = ${id}`;
    expect(await report(id, { error: "x" })).toEqual(nothing);
    for (const wrong of [{ error: 5 }, { log_tail: [] }, { attempt: -1 }, { attempt: "1" }]) {
      expect((await report(id, wrong))[0]).toBe(400);
    }
    expect((await report(NOWHERE, { error: "x" }))[0]).toBe(404);
    await api.call("DELETE", `/workspaces/${id}?confirm=true`);
    expect((await report(id, { error: "x" }))[0]).toBe(410);
    expect(await api.test.sql`SELECT 1 FROM observations WHERE workspace_id = ${id}`).toEqual([]);
  });
});
