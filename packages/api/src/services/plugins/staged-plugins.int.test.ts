import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { SaveInput } from "@molecule/contracts/panel";
import { adoptAgentFiles } from "@molecule/db/lifecycle/adopt-agent-files";
import type { HeldWorkspace } from "@molecule/db/lifecycle/held-workspace";
import { trimPackages } from "@molecule/db/plugins/plugin-packages";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { runAt } from "../../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../../api.fixture.ts";
import { appRouter } from "../../root.ts";
import { createCaller } from "../../trpc.ts";

let api: TestApi;
let localDir: string;
let id: string;

beforeAll(async () => {
  localDir = await mkdtemp(path.join(tmpdir(), "molecule-offer-"));
  api = await createTestApi({ plugins: { localDir } });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await rm(localDir, { recursive: true, force: true });
});
beforeEach(async () => {
  id = await api.createWorkspace({ name: "Ada", template: "assistant" });
  await runAt(api, id, "127.0.0.1:9");
});

const trpc = () =>
  createCaller(appRouter)({ deps: api.deps, auth: { kind: "admin" }, requestId: "r" });
const save = (input: Omit<SaveInput, "workspaceId">) =>
  trpc().config.save({ workspaceId: id, ...input });
const read = async (file: string) => {
  const answer = await api.call("GET", `/workspaces/${id}/files/plugins/style/${file}`);
  return answer.status === 200 ? ((await answer.json()) as { content: string }).content : null;
};

/** A version of the operator's plugin, fetched as the panel does. */
async function fetchVersion(version: string, skill = `# ${version}`) {
  await mkdir(path.join(localDir, "style"), { recursive: true });
  await writeFile(path.join(localDir, "style/plugin.yaml"), `name: style\nversion: ${version}\n`);
  await writeFile(path.join(localDir, "style/skill.md"), skill);
  return await trpc().plugins.fetch({ workspaceId: id, source: "style" });
}
const install = (packageId: string, baseSha256?: string | null) => ({
  plugins: [{ name: "style", packageId, ...(baseSha256 === undefined ? {} : { baseSha256 }) }],
});

it("PL8: what was fetched changes nothing before the save, and is one generation with everything else of it", async () => {
  const fetched = await fetchVersion("1.0.0");
  expect(fetched).toMatchObject({ plugin: { name: "style", version: "1.0.0", isPinned: true } });
  expect((await trpc().plugins.offer({ workspaceId: id })).plugins).toMatchObject([
    { name: "style", source: "local://style", isSupported: true },
  ]);
  expect(await read("skill.md")).toBeNull();
  const document = await trpc().config.document({ workspaceId: id });
  expect([document.generation, document.installedPlugins]).toEqual([1, []]);
  const saved = await save({
    baseVersion: document.version,
    config: { model: "demo-2" },
    ...install(fetched.packageId, null),
    apply: "hold",
  });
  expect(saved).toMatchObject({ generation: 2, changed: true, willRestart: false });
  expect(await read("skill.md")).toBe("# 1.0.0");
  const after = await trpc().config.document({ workspaceId: id });
  expect(after.plugins).toEqual(["style"]);
  expect(after.installedPlugins).toMatchObject([
    { version: "1.0.0", isRunning: false, runningVersion: null, support: "supported on demo" },
  ]);
  expect(after.pending.map(({ kind, names }) => [kind, names])).toEqual([
    ["plugin", ["style"]],
    ["setting", ["model"]],
  ]);
  expect(await save(install(fetched.packageId))).toMatchObject({ changed: false, generation: 2 });
});

it("PL9: what runs is shown beside what is saved, and what was uninstalled as leaving", async () => {
  const { packageId, plugin } = await fetchVersion("1.0.0");
  await save(install(packageId));
  await api.test.sql`
    UPDATE attempts SET outcome = 'ready', snap_config = (SELECT config FROM workspaces WHERE id = ${id})
    WHERE workspace_id = ${id}`;
  expect((await trpc().config.document({ workspaceId: id })).installedPlugins).toMatchObject([
    { isRunning: true, runningVersion: "1.0.0" },
  ]);
  const newer = await fetchVersion("1.1.0");
  await save(install(newer.packageId, plugin.sha256));
  expect((await trpc().config.document({ workspaceId: id })).installedPlugins).toMatchObject([
    { version: "1.1.0", isRunning: false, runningVersion: "1.0.0" },
  ]);
  await save({ plugins: [{ name: "style", packageId: null }] });
  const document = await trpc().config.document({ workspaceId: id });
  expect([document.installedPlugins, document.leavingPlugins]).toEqual([[], ["style"]]);
});

it("PL8: a save that is based on another version is refused with that, and changes nothing", async () => {
  const one = await fetchVersion("1.0.0");
  const two = await fetchVersion("2.0.0");
  await save(install(one.packageId, null));
  await expect(save(install(two.packageId, null))).rejects.toMatchObject({
    cause: {
      code: "version_conflict",
      details: { plugin: "style", current_sha256: one.plugin.sha256 },
    },
  });
  await expect(
    save({ plugins: [{ name: "other", packageId: two.packageId }] }),
  ).rejects.toMatchObject({ code: "BAD_REQUEST" });
  expect(await read("skill.md")).toBe("# 1.0.0");
});

it("PL10: a roll back brings the earlier content back, and the history names the plugin and not its files", async () => {
  await save(install((await fetchVersion("1.0.0")).packageId));
  await save(install((await fetchVersion("2.0.0")).packageId));
  await rm(localDir, { recursive: true });
  const { rows } = await trpc().config.history({ workspaceId: id });
  expect(rows.map(({ gen, summary }) => [gen, summary])).toEqual([
    [3, "1 plugin"],
    [2, "1 plugin"],
    [1, "created"],
  ]);
  const { changes } = await trpc().config.generation({ workspaceId: id, gen: 3 });
  expect(changes).toMatchObject({
    settings: [
      {
        name: "plugin: style",
        before: expect.stringMatching(/^1\.0\.0 from local:\/\/style /),
        after: expect.stringMatching(/^2\.0\.0 from /),
      },
    ],
    files: [],
  });
  await trpc().config.rollBack({ workspaceId: id, gen: 2, savedGen: 3 });
  expect([await read("skill.md"), await read("plugin.yaml")]).toEqual([
    "# 1.0.0",
    "name: style\nversion: 1.0.0\n",
  ]);
  const back = await trpc().config.document({ workspaceId: id });
  expect(back.installedPlugins).toMatchObject([{ version: "1.0.0" }]);
  expect((await trpc().config.history({ workspaceId: id })).rows[0]?.summary).toBe("1 plugin");
  await trpc().config.rollBack({ workspaceId: id, gen: 1, savedGen: 4 });
  expect([await read("skill.md"), (await readConfig(api.deps.db, id)).config.plugins]).toEqual([
    null,
    undefined,
  ]);
});

it("PL8: what an agent writes into an installed plugin is not kept; what it writes elsewhere is", async () => {
  await save(install((await fetchVersion("1.0.0")).packageId));
  const row = await readConfig(api.deps.db, id);
  const held = { row: { ...row, toldGen: row.desiredGen } } as unknown as HeldWorkspace;
  const instance = new Map([
    ["plugins/style/skill.md", Buffer.from("changed")],
    ["plugins/style/more.md", Buffer.from("more")],
    ["plugins/own/notes.md", Buffer.from("own")],
  ]);
  const taken = await api.deps.db.transaction((tx) =>
    adoptAgentFiles(tx, held, instance, () => false),
  );
  expect(taken).toBe(1);
  expect(await read("skill.md")).toBe("# 1.0.0");
});

it("what nobody saved within a week goes, and is asked for again", async () => {
  const { packageId } = await fetchVersion("1.0.0");
  await api.test.sql`UPDATE plugin_packages SET expires_at = cp_now() WHERE id = ${packageId}`;
  await expect(save(install(packageId))).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await trimPackages(api.deps.db)).toBeGreaterThan(0);
  const again = await fetchVersion("1.0.0");
  expect(again.packageId).not.toBe(packageId);
  expect(await save(install(again.packageId))).toMatchObject({ changed: true });
  const [kept] = await api.test.sql`SELECT count(*)::int FROM plugin_package_files f
    WHERE NOT EXISTS (SELECT 1 FROM plugin_packages p WHERE p.id = f.package_id)`;
  expect(kept?.count).toBe(0);
});

it("PL8: a template that brings files for a plugin's folder leaves it as it is, and the answer says so", async () => {
  const imported = await api.call("POST", "/templates/import", {
    body: {
      name: "meddler",
      files: {
        "config.yaml": "name: Meddler\nruntime: demo\nmodel: demo-1\n",
        "plugins/style/skill.md": "# the template's",
        "plugins/style/more.md": "more",
        "plugins/own/notes.md": "own",
        "notes.md": "notes",
      },
    },
  });
  expect(imported.status).toBe(201);
  const { packageId } = await fetchVersion("1.0.0");
  await save(install(packageId));
  const answer = await api.call("POST", `/workspaces/${id}/restart`, {
    body: { template: "meddler" },
  });
  expect(answer.status).toBe(200);
  const left = ["plugins/style/more.md", "plugins/style/skill.md"];
  const told = (await answer.json()) as { message: string; left_out: string[] };
  expect(told.left_out.toSorted()).toEqual(left);
  expect(told.message).toContain("2 of the template's files would be in the folder of style");
  expect([await read("skill.md"), await read("more.md")]).toEqual(["# 1.0.0", null]);
  const paths = await api.test.sql`SELECT path FROM managed_files
    WHERE workspace_id = ${id} AND deleted_at IS NULL ORDER BY path`;
  const named = paths.map((row) => row.path);
  expect(named).toEqual(expect.arrayContaining(["notes.md", "plugins/own/notes.md"]));
});
