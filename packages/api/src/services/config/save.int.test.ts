import type { SaveInput } from "@molecule/contracts/panel";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
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
const row = async () => {
  const [found] = await api.test.sql`SELECT * FROM workspaces WHERE id = ${id}`;
  return found ?? {};
};
const put = (path: string, body: unknown) => api.call("PUT", `/workspaces/${id}${path}`, { body });
const get = async (path: string) =>
  (await (await api.call("GET", `/workspaces/${id}${path}`)).json()) as Record<string, unknown>;
const file = (path: string, content: string | null, baseSha256: string | null = null) => ({
  path,
  content,
  baseSha256,
});

describe("when it sleeps", () => {
  it("is saved without a restart, shown again, and looked at at once", async () => {
    const before = await row();
    const result = await save({ config: { sleepAfterMinutes: 30 } });
    expect(result).toMatchObject({ changed: true, willRestart: false });
    const after = await row();
    expect(after).toMatchObject({
      hibernation_idle_minutes: 30,
      desired_gen: before.desired_gen,
      config_version: before.config_version,
    });
    expect(after.next_action_at).not.toBeNull();
    expect((await trpc().config.document({ workspaceId: id })).desired.sleepAfterMinutes).toBe(30);
    expect(await save({ config: { sleepAfterMinutes: 30 } })).toMatchObject({ changed: false });
    await save({ config: { sleepAfterMinutes: null } });
    expect((await row()).hibernation_idle_minutes).toBeNull();
  });

  it("is refused for an agent outside the platform, and for what is no time", async () => {
    const external = await api.createWorkspace({ runtime: "external", external: true });
    const config = { sleepAfterMinutes: 30 };
    await expect(trpc().config.save({ workspaceId: external, config })).rejects.toThrow("outside");
    for (const minutes of [0, -1, 1.5, 525_601]) {
      await expect(save({ config: { sleepAfterMinutes: minutes } })).rejects.toThrow();
    }
    expect((await row()).hibernation_idle_minutes).toBeNull();
  });
});

describe("one Save", () => {
  it("of 17 files, model, instructions and a secret is one generation and one set of changes", async () => {
    const before = await row();
    const files = Array.from({ length: 17 }, (_, i) => file(`notes/n${i}.md`, `note ${i}`));
    const result = await save({
      baseVersion: Number(before.config_version),
      config: { model: "demo-2", instructions: "Be brief." },
      files,
      secrets: [{ key: "OPENAI_API_KEY", value: "sk-canary-123" }],
    });
    expect(result).toEqual({
      workspaceId: id,
      generation: Number(before.desired_gen) + 1,
      version: Number(before.config_version) + 1,
      changed: true,
      willRestart: true,
      attempt: Number(before.current_attempt) + 1,
      runningTasks: 0,
    });
    const after = await row();
    expect(after).toMatchObject({
      desired_gen: "2",
      dirty_is_batch: true,
      dirty_stream: "settings",
    });
    expect(after.config).toMatchObject({ model: "demo-2", instructions: "Be brief." });
    const changes = await api.test.sql`SELECT kind, count(*)::int AS n FROM changes
      WHERE workspace_id = ${id} AND gen = 2 GROUP BY kind ORDER BY kind::text`;
    expect(changes.map(({ kind, n }) => [kind, n])).toEqual([
      ["file", 17],
      ["secret", 1],
      ["setting", 2],
    ]);
  });

  it("CF9: of what is there already makes no generation by any way, in whatever form it came", async () => {
    const ways: (() => Promise<unknown>)[] = [
      () => put("/model", { model: " acme/m " }),
      () => put("/provider", { provider: "acme" }),
      () => put("/secrets", { key: "MODEL_PROVIDER", value: "acme/m" }),
      () => put("/secrets", { key: "K", value: "v" }),
      () => api.call("POST", `/workspaces/${id}/secrets`, { body: { key: "K", value: "v" } }),
      () => put("/files/a.md", { content: "a" }),
      () => put("/files/system-prompt.md", { content: "half \0 of it" }),
      () => api.call("PATCH", `/workspaces/${id}/config`, { body: { deep: { a: ["\0", 1] } } }),
      () => api.call("PATCH", `/workspaces/${id}/config`, { body: `{"half":"\\ud800"}` }),
      () => put("/files/config.yaml", { content: "name: Ada\nmodel: m\nodd: [.nan, .inf, -0]\n" }),
      () => api.call("PATCH", `/workspaces/${id}`, { body: { tier: 3 } }),
      () => put("/model", { model: "  " }),
      () => api.call("PUT", "/settings/secrets", { body: { key: "ORG", value: "v" } }),
      () => save({ config: { model: "x", instructions: "\ud800" }, files: [file("b.md", "b")] }),
    ];
    for (const way of ways) {
      await way();
      const once = await row();
      await way();
      const { desired_gen, config_version, next_action_at, first_dirty_at } = await row();
      expect({ desired_gen, config_version, next_action_at, first_dirty_at }).toEqual({
        desired_gen: once.desired_gen,
        config_version: once.config_version,
        next_action_at: once.next_action_at,
        first_dirty_at: once.first_dirty_at,
      });
    }
    expect(Number((await row()).desired_gen)).toBeGreaterThan(ways.length - 4);
    await api.call("DELETE", "/settings/secrets/ORG");
  });

  it("refuses a key that is named twice, and a name that is a file and a folder at once", async () => {
    const twice = { secrets: ["1", "2"].map((value) => ({ key: "D", value })) };
    await expect(save(twice)).rejects.toThrow("D is named twice");
    await save({ files: [file("notes", "a file")] });
    const before = await row();
    for (const name of ["notes/today.md", "config.yaml/x", "system-prompt.md/a/b"]) {
      await expect(save({ files: [file(name, "x")] })).rejects.toThrow("a folder at once");
      expect((await put(`/files/${name}`, { content: "x" })).status).toBe(400);
    }
    await expect(save({ files: [file("p", "1"), file("p/q", "2")] })).rejects.toThrow(
      "p is a file",
    );
    expect(await row()).toEqual(before);
    const sha = (await trpc().files.read({ workspaceId: id, root: "/configs", path: "notes" }))
      .sha256;
    await save({ files: [file("notes", null, sha), file("notes/today.md", "x")] });
    expect(await get("/files/notes/today.md")).toMatchObject({ content: "x" });
  });

  it("of what is there already writes nothing and restarts nothing", async () => {
    const input = {
      config: { model: "demo-2" },
      files: [file("a.md", "a")],
      secrets: [{ key: "K", value: "v" }],
    };
    await save(input);
    const before = await row();
    expect(await save(input)).toMatchObject({ changed: false, willRestart: false });
    expect(await row()).toEqual(before);
  });

  it("is all or nothing", async () => {
    const before = await row();
    const bad = save({
      config: { model: "demo-2" },
      files: [file("good.md", "x"), file("../bad", "x")],
      secrets: [{ key: "K", value: "v" }],
    });
    await expect(bad).rejects.toThrow(/leaves its folder/);
    expect(await row()).toEqual(before);
    expect(await get("/secrets")).toEqual([]);
    expect((await get("/files")) as unknown).not.toContainEqual(
      expect.objectContaining({ path: "good.md" }),
    );
  });

  it("on an older version of the document is refused with the newer version", async () => {
    const { config_version } = await row();
    await save({ baseVersion: Number(config_version), config: { model: "demo-2" } });
    const second = save({ baseVersion: Number(config_version), config: { model: "demo-1" } });
    await expect(second).rejects.toMatchObject({ cause: { code: "version_conflict" } });
    expect((await row()).config.model).toBe("demo-2");
  });

  it("on an older version of a file is refused with both contents", async () => {
    await save({ files: [file("a.md", "first")] });
    const conflict = save({ files: [file("a.md", "mine", "0".repeat(64))] });
    await expect(conflict).rejects.toMatchObject({
      cause: {
        code: "version_conflict",
        details: { current: "first", yours: "mine", path: "a.md" },
      },
    });
  });

  it("of the policy alone changes when, not what: nothing restarts", async () => {
    const before = await row();
    expect(await save({ config: { applyPolicy: "hold" } })).toMatchObject({
      changed: true,
      willRestart: false,
    });
    expect(await row()).toMatchObject({
      apply_policy: "hold",
      desired_gen: before.desired_gen,
    });
    expect(await save({ config: { model: "demo-2" } })).toMatchObject({ willRestart: false });
  });

  it("refuses an empty key, an unknown workspace and a removed one", async () => {
    await expect(save({ secrets: [{ key: "K", value: "" }] })).rejects.toThrow(/empty/);
    const unknown = trpc().config.save({ workspaceId: "11111111-1111-4111-8111-111111111111" });
    await expect(unknown).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(trpc().config.save({ workspaceId: "x" })).rejects.toMatchObject({
      code: "BAD_REQUEST",
    });
    await api.call("DELETE", `/workspaces/${id}?confirm=true`);
    await expect(save({ config: { model: "m" } })).rejects.toThrow(/removed/);
  });
});

describe("the document", () => {
  it("shows what is wanted, what runs, and the difference", async () => {
    await save({ config: { model: "demo-2" } });
    const document = await trpc().config.document({ workspaceId: id });
    expect(document.desired.model).toBe("demo-2");
    expect(document.effective?.model).toBe("demo-1");
    expect(document.models.map((model) => model.id)).toEqual(["demo-1", "demo-2"]);
    expect(document.pending).toMatchObject([{ kind: "setting", count: 1, names: ["model"] }]);
  });

  it("is what config.yaml and system-prompt.md show and change", async () => {
    const yaml = String((await get("/files/config.yaml")).content);
    expect(parse(yaml)).toMatchObject({ name: "Ada", model: "demo-1", runtime: "demo" });
    const edited = yaml.replaceAll('"demo-1"', '"demo-9"').concat("skills:\n  - x\n");
    expect((await put("/files/config.yaml", { content: edited })).status).toBe(200);
    await put("/files/system-prompt.md", { content: "New words." });
    expect((await row()).config).toMatchObject({
      model: "demo-9",
      instructions: "New words.",
      extra: { skills: ["x"] },
    });
    expect(await get("/model")).toEqual({ model: "demo-9", source: "workspace_secrets" });
    const again = String((await get("/files/config.yaml")).content);
    const { desired_gen } = await row();
    await put("/files/config.yaml", { content: again });
    expect((await row()).desired_gen).toBe(desired_gen);
  });

  it.each([
    ["broken YAML", "a: [", 400],
    ["another runtime", "runtime: claude-code", 400],
  ])("is not touched by %s", async (_name, content, status) => {
    const before = await row();
    expect((await put("/files/config.yaml", { content })).status).toBe(status);
    expect(await row()).toEqual(before);
  });

  it("is changed by the routes of scripts, one generation each, none for an equal value", async () => {
    expect(await (await put("/model", { model: "demo-2" })).json()).toEqual({
      status: "saved",
      model: "demo-2",
    });
    expect((await row()).desired_gen).toBe("2");
    await put("/model", { model: "demo-2" });
    expect((await row()).desired_gen).toBe("2");
    expect(await (await put("/model", { model: "" })).json()).toEqual({ status: "cleared" });
    expect(await get("/model")).toEqual({ model: "", source: "default" });
    await put("/secrets", { key: "LLM_PROVIDER", value: "anthropic" });
    expect(await get("/provider")).toEqual({ provider: "anthropic", source: "workspace_secrets" });
    expect((await row()).desired_gen).toBe("4");
    const patched = await api.call("PATCH", `/workspaces/${id}/config`, { body: { a: 1 } });
    expect(await patched.json()).toEqual({ status: "updated" });
    expect(await get("/config")).toMatchObject({ data: { a: 1 } });
  });

  it("comes in one answer with everything that belongs to it", async () => {
    await save({ files: [file("a.md", "a")], secrets: [{ key: "K", value: "v" }] });
    const response = await api.call("GET", `/workspaces/${id}/config-bundle`);
    expect(response.headers.get("etag")).toBe('"1"');
    expect(await response.json()).toMatchObject({
      version: 1,
      model: { model: "demo-1" },
      files: [{ path: "a.md", size: 1 }],
      secrets: [{ key: "K", scope: "workspace", has_value: true }],
      parts: { files: { ok: true }, secrets: { ok: true }, effective: { ok: true } },
    });
  });

  it("names the provider of the model that a workspace is created with", async () => {
    const created = await api.createWorkspace({ name: "Known", model: "qwen/max" });
    const other = await api.createWorkspace({ name: "Unknown", model: "acme/m" });
    const provider = async (workspace: string) =>
      await (await api.call("GET", `/workspaces/${workspace}/provider`)).json();
    expect(await provider(created)).toEqual({ provider: "alibaba", source: "workspace_secrets" });
    expect(await provider(other)).toEqual({ provider: "", source: "default" });
  });

  it("insists on the canonical id where the contract says so", async () => {
    expect((await api.call("GET", `/workspaces/${id.toUpperCase()}/model`)).status).toBe(400);
  });
});

describe("managed files", () => {
  it("are listed with the two views and read, also while nothing runs", async () => {
    await api.test.sql`UPDATE workspaces SET phase = 'BACKOFF' WHERE id = ${id}`;
    await put("/files/skills/one/a.md", { content: "deep" });
    await put("/files/skills/b.md", { content: "b" });
    expect((await get("/files")) as unknown).toEqual([
      { path: "config.yaml", size: expect.any(Number), dir: false },
      { path: "skills", size: 0, dir: true },
      { path: "system-prompt.md", size: expect.any(Number), dir: false },
    ]);
    expect((await get("/files?path=skills&depth=2")) as unknown).toEqual([
      { path: "b.md", size: 1, dir: false },
      { path: "one", size: 0, dir: true },
      { path: "one/a.md", size: 4, dir: false },
    ]);
    expect(await get("/files/skills/one/a.md")).toMatchObject({ content: "deep", size: 4 });
  });

  it("I13 cost no generation when they are identical, and one when they are deleted", async () => {
    await put("/files/a.md", { content: "a" });
    await put("/files/a.md", { content: "a" });
    expect((await row()).desired_gen).toBe("2");
    const removed = await api.call("DELETE", `/workspaces/${id}/files/a.md`);
    expect(await removed.json()).toEqual({ status: "deleted", path: "a.md" });
    expect((await row()).desired_gen).toBe("3");
    expect((await api.call("GET", `/workspaces/${id}/files/a.md`)).status).toBe(404);
    expect((await api.call("DELETE", `/workspaces/${id}/files/a.md`)).status).toBe(404);
    const [stored] = await api.test.sql`SELECT deleted_at FROM managed_files
      WHERE workspace_id = ${id} AND path = 'a.md'`;
    expect(stored?.deleted_at).not.toBeNull();
  });

  it.each([
    "/files/.auth_token",
    "/files/.platform_inbound_secret",
    "/files/a/.git/config",
    "/files/..%2fx",
    "/files/a%5cb",
    "/files/%00",
    "/files//etc/passwd",
    "/files/%2fetc/passwd",
    `/files/${"x/".repeat(40)}x`,
    "/files/a%0ab",
    "/files/C:%5Cx",
  ])("refuse the path %s to read, write and delete", async (path) => {
    const target = `/workspaces/${id}${path}`;
    expect((await api.call("GET", target)).status).toBe(400);
    expect((await api.call("PUT", target, { body: { content: "x" } })).status).toBe(400);
    expect((await api.call("DELETE", target)).status).toBe(400);
    expect((await row()).desired_gen).toBe("1");
  });

  it("are replaced as a set in one generation", async () => {
    await put("/files/old.md", { content: "old" });
    const replaced = await put("/files", { files: { "new.md": "n", "b/c.md": "c" } });
    expect(await replaced.json()).toMatchObject({ status: "replaced", files: 2, source: "volume" });
    expect((await row()).desired_gen).toBe("3");
    const entries = (await get("/files?depth=5")) as unknown as { path: string }[];
    expect(entries.map((entry) => entry.path)).toEqual([
      "b",
      "b/c.md",
      "config.yaml",
      "new.md",
      "system-prompt.md",
    ]);
  });

  it("are shared with those below when config.yaml names them, and with nobody else", async () => {
    await put("/files/house.md", { content: "rules" });
    await put("/files/own.md", { content: "private" });
    const shared_context = ["house.md", "gone.md", "../x", ".auth_token", 5];
    await api.call("PATCH", `/workspaces/${id}/config`, { body: { shared_context } });
    const child = await api.createWorkspace({ name: "Child", parent_id: id });
    const shared = async (workspace: string) => {
      const token = await api.tokenOf(workspace);
      return await api.call("GET", `/workspaces/${id}/shared-context`, { token });
    };
    expect(await (await shared(child)).json()).toEqual([{ path: "house.md", content: "rules" }]);
    expect((await shared(id)).status).toBe(200);
    expect((await shared(await api.createWorkspace({ name: "Other" }))).status).toBe(401);
  });

  it("of more than a mebibyte are refused with 413", async () => {
    const response = await put("/files/big.txt", { content: "x".repeat(1_048_577) });
    expect(response.status).toBe(413);
  });

  it.each([["/files?root=/etc"], ["/files?depth=9"], ["/files?path=../x"]])(
    "refuse the listing %s",
    async (path) => {
      expect((await api.call("GET", `/workspaces/${id}${path}`)).status).toBe(400);
    },
  );
});

describe("secrets", () => {
  it("of the organisation reach exactly the workspaces that run with them", async () => {
    const overriding = await api.createWorkspace({ name: "Own" });
    await api.call("PUT", `/workspaces/${overriding}/secrets`, {
      body: { key: "G", value: "own" },
    });
    const outside = await api.createWorkspace({ name: "Far", external: true, runtime: undefined });
    const gens = async () =>
      Object.fromEntries(
        (
          await api.test.sql`SELECT id, desired_gen FROM workspaces
            WHERE id IN (${id}, ${overriding}, ${outside})`
        ).map((found) => [found.id, Number(found.desired_gen)]),
      );
    const before = await gens();
    await trpc().settings.putSecret({ key: "G", value: "shared" });
    expect(await gens()).toEqual({ ...before, [id]: (before[id] ?? 0) + 1 });
    expect(await trpc().settings.putSecret({ key: "G", value: "shared" })).toEqual({ affected: 0 });
    expect(await get("/secrets")).toMatchObject([{ key: "G", scope: "global", has_value: true }]);
    await api.call("DELETE", "/settings/secrets/G");
    expect(await gens()).toEqual({ ...before, [id]: (before[id] ?? 0) + 2 });
    expect((await api.call("DELETE", "/settings/secrets/G")).status).toBe(404);
  });

  it("that are needed and missing are shown as such", async () => {
    const coder = await api.createWorkspace({
      name: "Coder",
      template: "coder",
      runtime: undefined,
    });
    expect(await trpc().config.secrets({ workspaceId: coder })).toEqual([
      {
        key: "ANTHROPIC_API_KEY",
        scope: "workspace",
        hasValue: false,
        mustReenter: false,
        isRequired: true,
        isRunning: null,
        updatedAt: null,
      },
    ]);
  });

  it("that cannot be read must be entered again, and nothing breaks", async () => {
    await put("/secrets", { key: "K", value: "v" });
    await api.test.sql`UPDATE workspace_secrets SET record = '\\x02aa' WHERE workspace_id = ${id}`;
    expect(await trpc().config.secrets({ workspaceId: id })).toMatchObject([
      { key: "K", hasValue: true, mustReenter: true },
    ]);
    expect(await get("/secrets")).toMatchObject([{ key: "K", must_reenter: true }]);
    const values = await api.call("GET", `/workspaces/${id}/secrets/values`, {
      token: await api.tokenOf(id),
    });
    expect(values.status).toBe(500);
    expect(await values.json()).toMatchObject({
      error: "Some keys must be entered again.",
      failed_keys: ["workspace:K"],
    });
    expect(await save({ secrets: [{ key: "K", value: "v" }] })).toMatchObject({ changed: true });
    expect(await trpc().config.secrets({ workspaceId: id })).toMatchObject([
      { mustReenter: false },
    ]);
  });

  it("are given to the workspace's own token and to nobody else", async () => {
    await put("/secrets", { key: "K", value: "v-1" });
    const path = `/workspaces/${id}/secrets/values`;
    expect((await api.call("GET", path)).status).toBe(401);
    expect((await api.call("GET", path, { token: null })).status).toBe(401);
    const other = await api.tokenOf(await api.createWorkspace({ name: "Other" }));
    expect((await api.call("GET", path, { token: other })).status).toBe(401);
    const own = await api.call("GET", path, { token: await api.tokenOf(id) });
    expect(await own.json()).toEqual({ K: "v-1" });
  });

  it("appear in no answer, no event, no activity and no column", async () => {
    const canary = "sk-canary-7f3a9b";
    await put("/secrets", { key: "CANARY", value: canary });
    await trpc().settings.putSecret({ key: "CANARY_G", value: `${canary}-g` });
    const answers = await Promise.all([
      get("/secrets"),
      get("/config-bundle"),
      get("/activity"),
      trpc().config.secrets({ workspaceId: id }),
      trpc().config.document({ workspaceId: id }),
      trpc().settings.secrets(),
      trpc().activity.list({ workspaceId: id }),
      trpc().canvas.snapshot(),
    ]);
    expect(JSON.stringify(answers)).not.toContain(canary);
    const tables = await api.test.sql`SELECT table_name FROM information_schema.tables
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`;
    for (const { table_name } of tables) {
      const dump = await api.test
        .sql`SELECT to_jsonb(t)::text AS row FROM ${api.test.sql(table_name)} t`;
      const hex = Buffer.from(canary).toString("hex");
      for (const { row: text } of dump) {
        expect(text).not.toContain(canary);
        expect(text).not.toContain(hex);
      }
    }
  });

  it.each([
    ["a lower-case key", { key: "lower", value: "v" }],
    ["an empty value", { key: "K", value: "" }],
    ["no value", { key: "K" }],
    ["no key", { value: "v" }],
    ["a value that is too long", { key: "K", value: "x".repeat(70_000) }],
    ["a value that is too long in bytes", { key: "K", value: "€".repeat(30_000) }],
    ["a value that no environment can hold", { key: "K", value: "a\0b" }],
    ["half a character", `{"key":"K","value":"\\ud800"}`],
  ])("refuse %s", async (_name, body) => {
    expect((await put("/secrets", body)).status).toBe(400);
  });
});
