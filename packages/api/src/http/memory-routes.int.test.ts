import { trimMemoryKeys } from "@molecule/db/memory/memory-keys";
import { MAX_MEMORIES, MAX_MEMORY_KEYS } from "@molecule/domain/memory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

const NOWHERE = "00000000-0000-4000-8000-000000000000";

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

type Row = Record<string, unknown>;
const memories = (id: string, rest = "") => `/workspaces/${id}/memories${rest}`;
const values = (id: string, rest = "") => `/workspaces/${id}/memory${rest}`;

async function keep(id: string, content: string, more: Row = {}): Promise<Row> {
  const body = { content, scope: "LOCAL", ...more };
  const response = await api.call("POST", memories(id), { body });
  expect(response.status, content.slice(0, 80)).toBe(201);
  return (await response.json()) as Row;
}

async function found(id: string, query = ""): Promise<Row[]> {
  const response = await api.call("GET", memories(id, query));
  expect(response.status).toBe(200);
  return (await response.json()) as Row[];
}

const contents = async (id: string, query = "") =>
  (await found(id, query)).map((row) => row.content);

async function put(id: string, body: Row): Promise<[number, Row]> {
  const response = await api.call("POST", values(id), { body });
  return [response.status, (await response.json()) as Row];
}

async function read(target: string): Promise<[number, Row]> {
  const response = await api.call("GET", target);
  return [response.status, (await response.json()) as Row];
}

describe("what people see of memories", () => {
  it("ME3, ME5: is what the agent reads, with whose it is; only its own are deleted", async () => {
    const root = await api.createWorkspace({ name: "Lead" });
    const id = await api.createWorkspace({ name: "Ada", parent_id: root });
    const shared = await keep(root, "tea for everybody", { scope: "GLOBAL" });
    await keep(root, "a secret of the lead");
    for (let n = 0; n < 50; n += 1) await keep(id, `tea number ${n}`);
    const list = async (text: string) => {
      const input = encodeURIComponent(JSON.stringify({ workspaceId: id, text }));
      const [, body] = await read(`/trpc/memories.list?input=${input}`);
      return (body as { result: { data: { memories: Row[]; hasMore: boolean } } }).result.data;
    };
    const remove = async (memoryId: unknown) => {
      const body = { workspaceId: id, id: memoryId };
      return (await api.call("POST", "/trpc/memories.remove", { body })).status;
    };
    const newest = await list("");
    expect(newest).toMatchObject({ hasMore: true });
    expect(newest.memories).toHaveLength(50);
    const [theirs] = (await list("everybody")).memories;
    expect(theirs).toMatchObject({ id: shared.id, authorId: root, scope: "GLOBAL" });
    expect((await list("secret")).memories).toEqual([]);
    expect(await remove(shared.id)).toBe(404);
    const [own] = (await list("number 7")).memories;
    expect(own).toMatchObject({ authorId: id, content: "tea number 7" });
    expect(await remove(own?.id)).toBe(200);
    expect(await remove(own?.id)).toBe(404);
  });
});

describe("memories", () => {
  it("are kept, read and deleted in the shapes of §20", async () => {
    const id = await api.createWorkspace();
    const made = await keep(id, "Ada drinks tea", { namespace: "taste", workspace_id: NOWHERE });
    expect(made).toEqual({ id: expect.any(String), scope: "LOCAL", namespace: "taste" });
    expect(await found(id)).toEqual([
      {
        id: made.id,
        workspace_id: id,
        content: "Ada drinks tea",
        scope: "LOCAL",
        namespace: "taste",
        created_at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await found(id, "?q=tea")).toMatchObject([{ similarity_score: 1 }]);
    expect(await found(id, "?q=tea+coffee")).toMatchObject([{ similarity_score: 0.5 }]);
    expect(await found(id, "?namespace=other")).toEqual([]);
    expect(await found(id, "?scope=TEAM")).toEqual([]);
    expect((await api.call("GET", memories(id, "?scope=team"))).status).toBe(400);
    for (const other of [NOWHERE, "no-uuid", String(made.id).replace(/^./, "g")]) {
      expect((await api.call("DELETE", memories(id, `/${other}`))).status).toBe(404);
    }
    const gone = await api.call("DELETE", memories(id, `/${made.id}`));
    expect([gone.status, await gone.json()]).toEqual([200, { status: "deleted" }]);
    expect((await api.call("DELETE", memories(id, `/${made.id}`))).status).toBe(404);
    expect(await found(id)).toEqual([]);
  });

  it("ME7 said again are the memory that is there", async () => {
    const id = await api.createWorkspace();
    const first = await keep(id, "once");
    const again = await Promise.all(Array.from({ length: 5 }, () => keep(id, "once")));
    expect(new Set(again.map((row) => row.id))).toEqual(new Set([first.id]));
    await keep(id, "once", { namespace: "elsewhere" });
    await keep(id, "once", { scope: "TEAM" });
    expect(await found(id)).toHaveLength(3);
  });

  it("ME1 to ME5 reach whom their scope says, and nobody through a removed author", async () => {
    const root = await api.createWorkspace({ name: "root" });
    const below = (name: string, parent_id: string) => api.createWorkspace({ name, parent_id });
    const [ann, bob] = [await below("ann", root), await below("bob", root)];
    const leaf = await below("leaf", ann);
    const stranger = await api.createWorkspace({ name: "stranger" });
    for (const [name, id] of Object.entries({ root, ann, bob, leaf, stranger })) {
      await keep(id, `${name} local`);
      await keep(id, `${name} team`, { scope: "TEAM" });
    }
    await keep(root, "root global", { scope: "GLOBAL" });
    const denied = await api.call("POST", memories(ann), {
      body: { content: "x", scope: "GLOBAL" },
      token: await api.tokenOf(ann),
    });
    expect(denied.status).toBe(403);
    const seen = async (id: string) => (await contents(id)).toSorted();
    expect(await seen(root)).toEqual(
      ["ann team", "bob team", "root global", "root local", "root team"].toSorted(),
    );
    expect(await seen(ann)).toEqual(
      ["ann local", "ann team", "bob team", "leaf team", "root global", "root team"].toSorted(),
    );
    expect(await seen(leaf)).toEqual(
      ["ann team", "leaf local", "leaf team", "root global"].toSorted(),
    );
    expect(await seen(stranger)).toEqual(["stranger local", "stranger team"]);
    // Whoever may read a memory of another may not delete it.
    const [team] = (await found(ann, "?q=bob")).filter((row) => row.workspace_id === bob);
    expect((await api.call("DELETE", memories(ann, `/${team?.id}`))).status).toBe(404);
    await api.call("DELETE", `/workspaces/${bob}?confirm=true`);
    expect(await seen(ann)).not.toContain("bob team");
    const { length } = await api.test.sql`
      SELECT 1 FROM activity WHERE workspace_id = ${root} AND activity_type = 'memory_write_global'`;
    expect(length).toBe(1);
  });

  it("ME6 are found by any word, its beginning, in any script, best first, then newest", async () => {
    const id = await api.createWorkspace();
    await keep(id, "the report of 2024 is in /data/report_final.md");
    await keep(id, "Reports go to Ada");
    await keep(id, "猫が好き");
    await keep(id, "Die Straße ist naß");
    expect(await contents(id, "?q=final+report+of")).toEqual([
      "the report of 2024 is in /data/report_final.md",
      "Reports go to Ada",
    ]);
    expect(await contents(id, "?q=report")).toEqual([
      "Reports go to Ada",
      "the report of 2024 is in /data/report_final.md",
    ]);
    expect(await contents(id, "?q=re")).toEqual([]);
    expect(await contents(id, "?q=rep")).toHaveLength(2);
    expect(await contents(id, `?q=${encodeURIComponent("猫")}`)).toEqual(["猫が好き"]);
    expect(await contents(id, `?q=${encodeURIComponent("STRASSE straße")}`)).toEqual([
      "Die Straße ist naß",
    ]);
    const hostile = ["'; DROP TABLE memories; --", "%", "q:*|!(z)&'w'", "\u0000", "\\", "'':*"];
    for (const question of [...hostile, "x".repeat(10_000), " y".repeat(3_000)]) {
      expect(await contents(id, `?q=${encodeURIComponent(question)}`), question).toEqual([]);
    }
    expect(await found(id, "?limit=2")).toHaveLength(2);
    expect(await found(id, "?limit=0")).toHaveLength(4);
    expect(await found(id, "?limit=-1&q=")).toHaveLength(4);
  });

  it("ME8 hold no secret of their workspace, and no character that Postgres refuses", async () => {
    const secrets = { API_KEY: "hunter-2-hunter" };
    const id = await api.createWorkspace({
      secrets,
      initial_memories: [
        { content: "first: hunter-2-hunter" },
        { content: "x".repeat(100_001), scope: "GLOBAL" },
      ],
    });
    await api.call("PUT", "/settings/secrets", { body: { key: "ORG_KEY", value: "org-value" } });
    await keep(id, "use hunter-2-hunter or org-value", { namespace: "hunter-2-hunter" });
    await keep(id, "nul \u0000 and half \ud800 a pair");
    await put(id, { key: "k", value: { "hunter-2-hunter": ["org-value", 1] } });
    const rows = await found(id);
    expect(rows.map((row) => [row.namespace, String(row.content).slice(0, 40)])).toEqual([
      ["general", "nul \ufffd and half \ufffd a pair"],
      ["••••••", "use •••••• or ••••••"],
      ["general", "x".repeat(40)],
      ["general", "first: ••••••"],
    ]);
    expect(String(rows[2]?.content)).toHaveLength(100_000);
    expect((await read(values(id, "/k")))[1].value).toEqual({ "••••••": ["••••••", 1] });
    const [status] = await put(id, { key: "hunter-2-hunter", value: 1 });
    expect(status).toBe(400);
    const stored = await api.test
      .sql`SELECT m::text || k::text AS t FROM memories m, memory_keys k`;
    expect(stored.some((row) => /hunter-2|org-value/.test(String(row.t)))).toBe(false);
    await api.call("DELETE", "/settings/secrets/ORG_KEY");
  });

  it("refuse what is missing or wrong, naming the field, and keep nothing of it", async () => {
    const id = await api.createWorkspace();
    const refused: readonly (readonly [string, Row, string])[] = [
      ["nothing", { scope: "LOCAL" }, "content"],
      ["only spaces", { content: " \n", scope: "LOCAL" }, "content"],
      ["a number", { content: 5, scope: "LOCAL" }, "content"],
      ["100,001 characters", { content: "x".repeat(100_001), scope: "LOCAL" }, "content"],
      ["no scope", { content: "x" }, "scope"],
      ["an unknown scope", { content: "x", scope: "local" }, "scope"],
      ["two lines", { content: "x", scope: "LOCAL", namespace: "two\nlines" }, "namespace"],
      ["a long name", { content: "x", scope: "LOCAL", namespace: "n".repeat(256) }, "namespace"],
    ];
    for (const [name, body, field] of refused) {
      const response = await api.call("POST", memories(id), { body });
      expect(response.status, name).toBe(400);
      expect(((await response.json()) as Row).error, name).toContain(field);
    }
    expect(await found(id)).toEqual([]);
  });

  it("answer 404, 410 and 401 where they must", async () => {
    const id = await api.createWorkspace();
    const other = await api.tokenOf(await api.createWorkspace());
    const removed = await api.createWorkspace();
    await keep(removed, "gone");
    await api.call("DELETE", `/workspaces/${removed}?confirm=true`);
    const body = { content: "x", scope: "LOCAL" };
    for (const path of ["memories", "memory", "session-search", "instructions/resolve"]) {
      const at = (one: string) => `/workspaces/${one}/${path}`;
      expect((await api.call("GET", at(NOWHERE))).status, path).toBe(404);
      expect((await api.call("GET", at(removed))).status, path).toBe(410);
      for (const token of [null, other]) {
        expect((await api.call("GET", at(id), { token })).status, path).toBe(401);
      }
      expect((await api.call("GET", at(id), { token: await api.tokenOf(id) })).status).toBe(200);
    }
    expect((await api.call("POST", memories(NOWHERE), { body })).status).toBe(404);
    expect((await api.call("POST", memories(removed), { body })).status).toBe(410);
    expect((await api.call("POST", values(NOWHERE), { body: { key: "k", value: 1 } })).status).toBe(
      404,
    );
    expect((await api.call("POST", memories(id), { body, token: other })).status).toBe(401);
  });

  it("have room for so many, and refuse the next with what to do", async () => {
    const id = await api.createWorkspace();
    await api.test.sql`
      INSERT INTO memories (workspace_id, scope, namespace, content, content_sha256, words)
      SELECT ${id}, 'LOCAL', 'general', 'm' || n, decode(md5(n::text), 'hex'), array_to_tsvector(ARRAY['m' || n])
      FROM generate_series(1, ${MAX_MEMORIES}) n`;
    const response = await api.call("POST", memories(id), {
      body: { content: "x", scope: "LOCAL" },
    });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ next: expect.stringContaining("Delete") });
    expect(await found(id, "?limit=1000")).toHaveLength(200);
    // What takes as much as it may in letters still fits the index.
    const endless = Array.from({ length: 33_000 }, (_, n) => `\ufdfa${n.toString(36)}`).join(" ");
    await keep(await api.createWorkspace(), endless.slice(0, 100_000));
  });
});

describe("values under a name", () => {
  it("are any JSON, exactly as it was", async () => {
    const id = await api.createWorkspace();
    const many = [null, false, 0, "", "5", "true", "null", [], {}, { b: 1, a: [{ "": "\u0000" }] }];
    for (const [at, value] of many.entries()) {
      expect(await put(id, { key: "k", value })).toEqual([
        200,
        { status: "ok", key: "k", version: at + 1 },
      ]);
      expect(await read(values(id, "/k"))).toEqual([
        200,
        {
          key: "k",
          value,
          version: at + 1,
          expires_at: null,
          updated_at: expect.stringMatching(/Z$/),
        },
      ]);
    }
    await put(id, { key: "a/b ü%", value: 1 });
    expect(await read(values(id, `/${encodeURIComponent("a/b ü%")}`))).toMatchObject([
      200,
      { key: "a/b ü%" },
    ]);
    const [, all] = await read(values(id));
    expect((all as unknown as Row[]).map((row) => row.key)).toEqual(["a/b ü%", "k"]);
    const gone = await api.call("DELETE", values(id, "/k"));
    expect([gone.status, await gone.json()]).toEqual([200, { status: "deleted" }]);
    expect((await api.call("DELETE", values(id, "/k"))).status).toBe(404);
    expect((await read(values(id, "/k")))[0]).toBe(404);
    expect((await read(values(id, "/%00")))[0]).toBe(404);
  });

  it("ME9 are written once by those who have read the same version", async () => {
    const id = await api.createWorkspace();
    expect(await put(id, { key: "k", value: 1, if_match_version: 1 })).toMatchObject([
      409,
      { code: "version_conflict", expected_version: 1, current_version: 0 },
    ]);
    const first = { key: "k", if_match_version: 0 };
    const race = await Promise.all([1, 2, 3, 4, 5].map((value) => put(id, { ...first, value })));
    expect(race.map(([status]) => status).toSorted()).toEqual([200, 409, 409, 409, 409]);
    const next = await Promise.all(
      [6, 7, 8].map((value) => put(id, { key: "k", value, if_match_version: 1 })),
    );
    expect(next.map(([status]) => status).toSorted()).toEqual([200, 409, 409]);
    expect((await read(values(id, "/k")))[1]).toMatchObject({ version: 2 });
    expect(await put(id, { key: "k", value: 9 })).toMatchObject([200, { version: 3 }]);
  });

  it("ME10 are absent once their time is over, and then begin anew", async () => {
    const id = await api.createWorkspace();
    await put(id, { key: "short", value: 1, ttl_seconds: 60 });
    await put(id, { key: "long", value: 1, ttl_seconds: 315_360_000 });
    await put(id, { key: "none", value: 1, ttl_seconds: 0 });
    expect((await read(values(id, "/short")))[1].expires_at).toMatch(/Z$/);
    await api.test.sql`UPDATE memory_keys SET expires_at = cp_now() WHERE key = 'short'`;
    expect((await read(values(id, "/short")))[0]).toBe(404);
    expect(((await read(values(id)))[1] as unknown as Row[]).map((row) => row.key)).toEqual([
      "long",
      "none",
    ]);
    expect((await api.call("DELETE", values(id, "/short"))).status).toBe(404);
    expect(await put(id, { key: "short", value: 2, if_match_version: 0 })).toMatchObject([
      200,
      { version: 1 },
    ]);
    expect((await read(values(id, "/short")))[1].expires_at).toBeNull();
    await api.test.sql`UPDATE memory_keys SET expires_at = cp_now() WHERE key = 'long'`;
    expect(await trimMemoryKeys(api.test.db)).toBe(1);
  });

  it("refuse what is missing, wrong or too large, and keep nothing of it", async () => {
    const id = await api.createWorkspace();
    const refused: readonly (readonly [string, Row, number])[] = [
      ["no name", { value: 1 }, 400],
      ["an empty name", { key: "", value: 1 }, 400],
      ["no value", { key: "k" }, 400],
      ["a name with NUL", { key: "k\u0000", value: 1 }, 400],
      ["a long name", { key: "k".repeat(256), value: 1 }, 400],
      ["a time below zero", { key: "k", value: 1, ttl_seconds: -1 }, 400],
      ["an endless time", { key: "k", value: 1, ttl_seconds: 1e300 }, 400],
      ["a version in text", { key: "k", value: 1, if_match_version: "1" }, 400],
      ["a large value", { key: "k", value: "x".repeat(65_535) }, 413],
    ];
    for (const [name, body, status] of refused) expect((await put(id, body))[0], name).toBe(status);
    expect((await read(values(id)))[1]).toEqual([]);
  });

  it("have room for so many names, and go on taking those they have", async () => {
    const id = await api.createWorkspace();
    await api.test.sql`INSERT INTO memory_keys (workspace_id, key, value)
      SELECT ${id}, 'k' || n, '1' FROM generate_series(1, ${MAX_MEMORY_KEYS}) n`;
    expect((await put(id, { key: "new", value: 1 }))[0]).toBe(429);
    expect((await put(id, { key: "k1", value: 2 }))[0]).toBe(200);
  });
});

describe("session search", () => {
  it("finds activity and memories together, best first, and nothing of others", async () => {
    const id = await api.createWorkspace();
    const other = await api.createWorkspace();
    const log = (workspaceId: string, summary: string, more: Row = {}) =>
      api.call("POST", `/workspaces/${workspaceId}/activity`, {
        body: { activity_type: "agent_log", summary, ...more },
      });
    await log(id, "Deployed the SHOP");
    await log(id, "Answered", { request_body: { text: "where is the shop, and the key?" } });
    await log(id, "Nothing of it", { response_body: { big: "y".repeat(20_000), word: "crocus" } });
    await log(other, "the shop of another");
    await keep(id, "The shop closes at six");
    await keep(other, "shop", { scope: "TEAM" });
    const search = async (query: string) => {
      const [status, rows] = await read(`/workspaces/${id}/session-search${query}`);
      expect(status).toBe(200);
      return rows as unknown as Row[];
    };
    const hits = await search("?q=shop+key");
    expect(hits.map((hit) => [hit.kind, hit.summary ?? hit.content, hit.similarity_score])).toEqual(
      [
        ["activity", "Answered", 1],
        ["memory", "The shop closes at six", 0.5],
        ["activity", "Deployed the SHOP", 0.5],
      ],
    );
    expect(hits[0]).toMatchObject({
      id: expect.any(String),
      workspace_id: id,
      activity_type: "agent_log",
      created_at: expect.stringMatching(/Z$/),
      request_body: { text: "where is the shop, and the key?" },
    });
    // Found in a body that is too large to be shown in a list.
    const [large] = await search("?q=crocus");
    expect(large).toMatchObject({ summary: "Nothing of it" });
    expect(large).not.toHaveProperty("response_body");
    expect(await search("?q=shop&limit=1")).toHaveLength(1);
    expect(await search("?q=%25%27")).toEqual([]);
    expect((await search("")).length).toBeGreaterThanOrEqual(4);
  });
});
