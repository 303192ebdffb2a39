import type { SaveInput } from "@molecule/contracts/panel";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runAt } from "../../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../../api.fixture.ts";
import { appRouter } from "../../root.ts";
import { createCaller } from "../../trpc.ts";

let api: TestApi;
let id: string;

beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  id = await api.createWorkspace({ name: "Ada", template: "assistant" });
  await runAt(api, id, "127.0.0.1:9");
});

const trpc = () =>
  createCaller(appRouter)({ deps: api.deps, auth: { kind: "admin" }, requestId: "r" });
const save = (input: Omit<SaveInput, "workspaceId">) =>
  trpc().config.save({ workspaceId: id, ...input });
const detail = (gen: number) => trpc().config.generation({ workspaceId: id, gen });
const rollBack = (gen: number, savedGen: number, apply?: "hold") =>
  trpc().config.rollBack({ workspaceId: id, gen, savedGen, ...(apply ? { apply } : {}) });
const shaOf = async (path: string) =>
  (await trpc().files.read({ workspaceId: id, root: "/configs", path })).sha256;
const row = async (of = id) => {
  const [found] = await api.test.sql`SELECT * FROM workspaces WHERE id = ${of}`;
  return found ?? {};
};
const secretOf = async (key: string) => {
  const token = await api.tokenOf(id);
  const answer = await api.call("GET", `/workspaces/${id}/secrets/values`, { token });
  return ((await answer.json()) as Record<string, string>)[key];
};
const contentOf = async (path: string) => {
  const answer = await api.call("GET", `/workspaces/${id}/files/${path}`);
  return answer.status === 200 ? ((await answer.json()) as { content: string }).content : null;
};

describe("the history", () => {
  it("CF5: tells who saved what and when, values with both sides, secrets by name only", async () => {
    await save({
      config: { model: "demo-2" },
      files: [{ path: "notes.md", content: "one\n", baseSha256: null }],
      secrets: [{ key: "OPENAI_API_KEY", value: "sk-canary-9" }],
    });
    const { rows, hasMore } = await trpc().config.history({ workspaceId: id });
    expect(hasMore).toBe(false);
    expect(rows).toMatchObject([
      { gen: 2, summary: "model, OPENAI_API_KEY and 1 file", isSaved: true, isRunning: false },
      { gen: 1, summary: "created", isSaved: false, isRunning: true },
    ]);
    const { changes, savedGen } = await detail(2);
    expect(savedGen).toBe(2);
    expect(changes).toEqual({
      settings: [{ name: "model", before: "demo-1", after: "demo-2" }],
      files: [{ path: "notes.md", change: "added", before: null, after: "one\n" }],
      secrets: [{ key: "OPENAI_API_KEY", scope: "workspace", change: "added" }],
    });
    expect(JSON.stringify(await detail(1)) + JSON.stringify(changes)).not.toContain("canary");
    expect((await detail(1)).changes).toBeNull();
  });

  it("CF5: goes back by pages", async () => {
    for (const model of ["a", "b", "c"]) await save({ config: { model } });
    const first = await trpc().config.history({ workspaceId: id, limit: 3 });
    expect(first.rows.map(({ gen }) => gen)).toEqual([4, 3, 2]);
    expect(first.hasMore).toBe(true);
    const rest = await trpc().config.history({ workspaceId: id, limit: 3, before: 2 });
    expect(rest.rows.map(({ gen }) => gen)).toEqual([1]);
  });

  it("CF9: a save of what is there already makes no generation", async () => {
    await save({ config: { model: "demo-2" } });
    await save({ config: { model: "demo-2" } });
    expect((await trpc().config.history({ workspaceId: id })).rows).toHaveLength(2);
  });
});

describe("a roll back", () => {
  it("CF6: makes settings, files and own secrets what they were, as one generation", async () => {
    await save({
      config: { model: "demo-2", tier: 3 },
      files: [
        { path: "kept.md", content: "old", baseSha256: null },
        { path: "gone.md", content: "back again", baseSha256: null },
      ],
      secrets: [{ key: "K", value: "first" }],
    });
    await save({
      config: { model: "demo-9", instructions: "Other." },
      files: [
        { path: "kept.md", content: "new", baseSha256: await shaOf("kept.md") },
        { path: "gone.md", content: null, baseSha256: await shaOf("gone.md") },
        { path: "extra.md", content: "x", baseSha256: null },
      ],
      secrets: [
        { key: "K", value: "second" },
        { key: "NEW", value: "n" },
      ],
    });
    const plan = (await detail(2)).rollBack;
    expect(plan.settings.map(({ name, after }) => [name, after])).toContainEqual([
      "model",
      "demo-2",
    ]);
    expect(plan.files.map(({ path, change }) => [path, change])).toEqual([
      ["extra.md", "removed"],
      ["gone.md", "added"],
      ["kept.md", "changed"],
    ]);
    expect(plan.secrets).toEqual([
      { key: "K", outcome: "restored" },
      { key: "NEW", outcome: "removed" },
    ]);
    const before = await row();
    const result = await rollBack(2, 3);
    expect(result).toMatchObject({
      generation: 4,
      version: Number(before.config_version) + 1,
      changed: true,
      willRestart: true,
      attempt: Number(before.current_attempt) + 1,
    });
    expect((await row()).config).toMatchObject({ model: "demo-2" });
    expect([
      await contentOf("kept.md"),
      await contentOf("gone.md"),
      await contentOf("extra.md"),
    ]).toEqual(["old", "back again", null]);
    expect([await secretOf("K"), await secretOf("NEW")]).toEqual(["first", undefined]);
    const [newest] = (await trpc().config.history({ workspaceId: id })).rows;
    expect(newest).toMatchObject({ gen: 4, rolledBackTo: 2 });
    expect((await detail(2)).rollBack.isEmpty).toBe(false);
    expect((await detail(4)).rollBack.isEmpty).toBe(true);
  });

  it("CF6: to what is saved already changes nothing", async () => {
    await save({ config: { model: "demo-2" } });
    await save({ config: { model: "demo-1" } });
    expect(await rollBack(1, 3)).toMatchObject({ changed: false, generation: 3, attempt: null });
    expect((await row()).desired_gen).toBe("3");
  });

  it("CF6: is refused when something was saved since, and for what is no longer kept", async () => {
    await save({ config: { model: "demo-2" } });
    await expect(rollBack(1, 1)).rejects.toMatchObject({ cause: { code: "version_conflict" } });
    await expect(rollBack(77, 2)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await row()).desired_gen).toBe("2");
  });

  it("CF7: keeps the present value of a secret whose earlier one is no longer kept, and says so", async () => {
    await save({ secrets: [{ key: "K", value: "first" }], config: { model: "demo-2" } });
    for (let n = 0; n < 10; n++) await save({ secrets: [{ key: "K", value: `later ${n}` }] });
    await save({ config: { model: "demo-1" } });
    expect((await detail(2)).rollBack.secrets).toEqual([{ key: "K", outcome: "lost" }]);
    await rollBack(2, 13);
    expect(await secretOf("K")).toBe("later 9");
    expect((await row()).config.model).toBe("demo-2");
  });

  it("CF6: can be held", async () => {
    await save({ config: { model: "demo-2" } });
    expect(await rollBack(1, 2, "hold")).toMatchObject({ willRestart: false, attempt: null });
    expect(await row()).toMatchObject({ pending_policy: "hold", apply_policy: "settle" });
  });
});

describe("how a save is applied", () => {
  it("CF3: is said with the save, counts for all that is pending, and names the attempt", async () => {
    const attempt = Number((await row()).current_attempt) + 1;
    expect(await save({ config: { model: "demo-2" }, apply: "hold" })).toMatchObject({
      changed: true,
      willRestart: false,
      attempt: null,
    });
    const held = (await trpc().workspaces.get({ id })).pending;
    expect(held).toMatchObject({ policy: "hold", dueAt: null });
    // Whatever comes without a word about it waits with it.
    expect(await save({ config: { description: "d" } })).toMatchObject({ attempt: null });
    expect(await save({ apply: "settle" })).toMatchObject({
      changed: true,
      willRestart: true,
      attempt,
    });
    expect(await row()).toMatchObject({ pending_policy: "settle", dirty_is_batch: true });
    expect((await trpc().workspaces.get({ id })).pending?.dueAt).not.toBeNull();
  });

  it("CF3: of nothing pending is no change", async () => {
    expect(await save({ apply: "settle" })).toMatchObject({ changed: false, attempt: null });
    expect((await row()).pending_policy).toBeNull();
  });

  it("CF3: of several workspaces is one transaction, one generation each", async () => {
    const other = await api.createWorkspace({ name: "Bo", template: "assistant" });
    await runAt(api, other, "127.0.0.1:9");
    const [one, two] = [id, other].map((workspaceId) => ({
      workspaceId,
      config: { model: "demo-2" },
    }));
    if (one === undefined || two === undefined) throw new Error("two saves");
    const conflict = { ...two, baseVersion: 99 };
    await expect(trpc().config.saveMany({ saves: [one, conflict] })).rejects.toMatchObject({
      cause: { code: "version_conflict", details: { workspace_id: other } },
    });
    expect([(await row()).desired_gen, (await row(other)).desired_gen]).toEqual(["1", "1"]);
    const done = await trpc().config.saveMany({ saves: [two, one] });
    expect(done.map(({ workspaceId, generation }) => [workspaceId, generation])).toEqual([
      [other, 2],
      [id, 2],
    ]);
    await expect(trpc().config.saveMany({ saves: [one, one] })).rejects.toThrow(/twice/);
  });
});

describe("a conditional write", () => {
  it("CF9: that is too late answers both values, over tRPC and over HTTP", async () => {
    const bundle = await api.call("GET", `/workspaces/${id}/config-bundle`);
    const etag = bundle.headers.get("etag") ?? "";
    await save({ config: { model: "demo-2" } });
    const late = await api.call("PUT", `/workspaces/${id}/model`, {
      body: { model: "demo-7" },
      headers: { "if-match": etag },
    });
    expect(late.status).toBe(409);
    expect(await late.json()).toMatchObject({
      code: "version_conflict",
      current_version: 2,
      values: [{ name: "model", current: "demo-2", yours: "demo-7" }],
    });
    const patch = await api.call("PATCH", `/workspaces/${id}/config`, {
      body: { skills: ["x"] },
      headers: { "if-match": etag },
    });
    expect(await patch.json()).toMatchObject({
      values: [{ name: "config.yaml: skills", current: null, yours: ["x"] }],
    });
    const now = await api.call("GET", `/workspaces/${id}/model`);
    const again = await api.call("PUT", `/workspaces/${id}/model`, {
      body: { model: "demo-7" },
      headers: { "if-match": now.headers.get("etag") ?? "" },
    });
    expect(again.status).toBe(200);
    const odd = await api.call("PUT", `/workspaces/${id}/model`, {
      body: { model: "demo-1" },
      headers: { "if-match": '"abc"' },
    });
    expect(odd.status).toBe(400);
  });
});

describe("the document", () => {
  it("CF2: says where each value comes from", async () => {
    const before = await trpc().config.document({ workspaceId: id });
    expect(before.sources).toMatchObject({
      model: "template",
      applyPolicy: "default",
      provider: "default",
    });
    await save({ config: { model: "demo-9", applyPolicy: "hold" } });
    const after = await trpc().config.document({ workspaceId: id });
    expect(after.sources).toMatchObject({ model: "workspace", applyPolicy: "workspace" });
    expect(after.effective).toMatchObject({
      generation: 1,
      model: "demo-1",
      tier: after.desired.tier,
    });
    expect(after).toMatchObject({ runtime: "demo", template: "assistant", generation: 2 });
  });

  it("CF1: of which a part cannot be read has the others, and says which", async () => {
    await api.test.sql`ALTER TABLE schedules RENAME TO schedules_away`;
    try {
      const document = await trpc().config.document({ workspaceId: id });
      expect(Object.keys(document.failed)).toEqual(["schedules"]);
      expect(document.desired.model).toBe("demo-1");
    } finally {
      await api.test.sql`ALTER TABLE schedules_away RENAME TO schedules`;
    }
  });
});
