import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { lackingKeys } from "@molecule/db/lifecycle/lacking-keys";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import { RUNTIMES } from "@molecule/domain/sets";
import { makeTarGz, makeZip } from "@molecule/templates/archive/archive.fixture";
import { loadOrgTemplates } from "@molecule/templates/load-org-templates";
import { loadTemplates } from "@molecule/templates/load-templates";
import { countNodes, type OrgTreeNode } from "@molecule/templates/org-template";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { viewSecrets } from "../services/secrets/manage-secrets.ts";
import { listOrgTemplateRows } from "../services/templates/list-org-templates.ts";
import { listTemplateRows, listTemplates } from "../services/templates/list-templates.ts";
import { idOf } from "../services/templates/template-catalogue.ts";
import { createFromCanvas } from "../services/workspaces/create-from-canvas.ts";

const ADMIN = { kind: "admin", name: "the administrator" } as const;
const CONFIG = "name: Night Clerk\nruntime: demo\nmodel: demo-1\nschedules: []\n";
let api: TestApi;
let dir: string;

beforeAll(async () => {
  api = await createTestApi();
  dir = await mkdtemp(path.join(tmpdir(), "molecule-templates-"));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
  await api[Symbol.asyncDispose]();
});

const put = async (id: string, yaml: string) => {
  await mkdir(path.join(dir, id), { recursive: true });
  await writeFile(path.join(dir, id, "config.yaml"), yaml);
};
const here = () => ({ ...api.deps, templatesDir: dir });
const configOf = async (id: string): Promise<Record<string, unknown>> =>
  (await api.test.sql`SELECT config FROM workspaces WHERE id = ${id}`)[0]?.config;
const lackOf = (id: string) =>
  api.test.db.transaction(async (tx) => lackingKeys(tx, api.deps.cipher, await readConfig(tx, id)));
const ids = async () => {
  const answer = await api.call("GET", "/templates");
  return ((await answer.json()) as { id: string }[]).map(({ id }) => id);
};
const send = async (body: Uint8Array, query = "", type = "application/octet-stream") => {
  const headers = { "content-type": type };
  const answer = await api.call("POST", `/templates/import${query}`, { body, headers });
  const told = (await answer.json()) as Record<string, unknown>;
  return { ...told, status: answer.status } as Record<string, unknown>;
};

describe("GET /templates", () => {
  it("has every field of the contract, and leaves out what has nothing to say", async () => {
    await put(
      "full",
      `name: Full
description: Everything
tier: 3
runtime: claude-code
skills: [a, b]
providers:
  - {name: anthropic, auth_mode: api_key, model_prefixes: [claude-], model_aliases: [sonnet], base_url: null, auth_env: [ANTHROPIC_API_KEY]}
  - {name: minimax, base_url: "https://api.minimax.io", auth_env: [MINIMAX_API_KEY]}
runtime_config:
  model: sonnet
  models: [{id: sonnet, name: Sonnet, required_env: [ANTHROPIC_API_KEY]}, {id: x}]
  required_env: [ANTHROPIC_API_KEY]
  providers: [anthropic]
  provision_timeout_seconds: 900
`,
    );
    await put("bare", "runtime: demo\nruntime_config: {provision_timeout_seconds: 0}\n");
    await put("inferring", "runtime: demo\nruntime_config: {models: [{id: qwen/a}, {id: b}]}\n");
    const rows = Object.fromEntries((await listTemplateRows(here())).map((row) => [row.id, row]));
    expect(rows.full).toEqual({
      id: "full",
      name: "Full",
      description: "Everything",
      tier: 3,
      runtime: "claude-code",
      model: "sonnet",
      models: [{ id: "sonnet", name: "Sonnet", required_env: ["ANTHROPIC_API_KEY"] }, { id: "x" }],
      required_env: ["ANTHROPIC_API_KEY"],
      providers: ["anthropic"],
      provider_registry: [
        {
          name: "anthropic",
          auth_mode: "api_key",
          model_prefixes: ["claude-"],
          model_aliases: ["sonnet"],
          auth_env: ["ANTHROPIC_API_KEY"],
        },
        { name: "minimax", base_url: "https://api.minimax.io", auth_env: ["MINIMAX_API_KEY"] },
      ],
      skills: ["a", "b"],
      skill_count: 2,
      provision_timeout_seconds: 900,
    });
    expect(rows.bare).toEqual({
      id: "bare",
      name: "bare",
      description: "",
      tier: 2,
      runtime: "demo",
      model: "",
      skills: [],
      skill_count: 0,
    });
    expect(rows.inferring).toMatchObject({ providers: ["alibaba"], providers_inferred: true });
  });

  it("leaves a malformed one out with a line that names folder and cause; the gallery shows it", async () => {
    await put("bad", "name: [");
    const lines: object[] = [];
    const log = { ...api.deps.log, warn: (data: object) => void lines.push(data) };
    const rows = await listTemplateRows({ ...here(), log });
    expect(rows.map(({ id }) => id)).toEqual(["bare", "full", "inferring"]);
    expect(lines).toEqual([{ folder: "bad", cause: expect.stringContaining("line 1") }]);
    const shown = (await listTemplates(here())).find(({ id }) => id === "bad");
    expect(shown?.broken).toContain("line 1");
    await put("bad", "name: Good again");
    expect((await listTemplates(here())).find(({ id }) => id === "bad")?.broken).toBeNull();
  });
});

describe("POST /templates/import", () => {
  it("takes a folder as a map and names it as the contract does", async () => {
    const files = { "config.yaml": CONFIG, "system-prompt.md": "Keep watch.", "a/b.md": "b" };
    const body = { name: "Night_Clerk two", files: { ...files, ".env": "KEY=secret" } };
    const answer = await api.call("POST", "/templates/import", { body });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({
      status: "imported",
      id: "night-clerk-two",
      name: "Night_Clerk two",
      files: 3,
      left_out: [".env"],
    });
    expect(await ids()).toContain("night-clerk-two");
    const made = await api.createWorkspace({ name: "Clerk", template: "night-clerk-two" });
    const read = await api.call("GET", `/workspaces/${made}/files/a/b.md`);
    expect(await read.json()).toMatchObject({ content: "b" });
    const [row] = await api.test.sql`SELECT config FROM workspaces WHERE id = ${made}`;
    expect(row?.config).toMatchObject({ instructions: "Keep watch.", model: "demo-1" });
  });

  it("takes both kinds of archive; one name twice is 409 with the id and changes nothing", async () => {
    const entries = [{ name: "top/config.yaml", content: CONFIG }, { name: "top/notes.md" }];
    expect(await send(await makeTarGz(entries))).toMatchObject({ status: 201, id: "night-clerk" });
    const again = makeZip([{ name: "config.yaml", content: "name: Other" }]);
    expect(await send(again, "?name=Night%20Clerk")).toMatchObject({
      status: 409,
      id: "night-clerk",
      code: "conflict",
    });
    expect(await send(again, "?name=assistant")).toMatchObject({ status: 409, id: "assistant" });
    expect(await send(makeZip(entries), "?name=zipped", "application/zip")).toMatchObject({
      status: 201,
      files: 2,
    });
    const shown = (await listTemplates(api.deps)).find(({ id }) => id === "night-clerk");
    expect(shown).toMatchObject({ name: "Night Clerk", broken: null, isImported: true });
  });

  it("imported by eight at once under one name is there once", async () => {
    const archive = makeZip([{ name: "config.yaml", content: CONFIG }]);
    const all = await Promise.all(Array.from({ length: 8 }, () => send(archive, "?name=racer")));
    expect(all.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(all.filter(({ status }) => status === 409)).toHaveLength(7);
  });

  it("refuses what cannot be meant with a sentence, and keeps nothing of it", async () => {
    const before = await ids();
    const config = { name: "config.yaml", content: CONFIG };
    const good = makeZip([config]);
    const tar = await makeTarGz([config, { name: "x", type: "symlink" }]);
    const outside = makeZip([config, { name: "../../etc/cron.d/x", content: "x" }]);
    const cases: [Uint8Array, string, number][] = [
      [Buffer.from("hello"), "", 400],
      [good.subarray(0, good.length - 9), "?name=cut", 400],
      [tar, "?name=link", 400],
      [outside, "?name=outside", 400],
      [makeZip([{ name: "readme.md", content: "no config" }]), "?name=none", 400],
      [makeZip([{ name: "config.yaml", content: "name: [" }]), "?name=bad", 400],
      [makeZip([{ name: "config.yaml", content: "runtime: warp" }]), "?name=warp", 400],
      [makeZip([{ name: "config.yaml", content: "tier: 1" }]), "", 400],
      [good, "?name=..%2F..%2Fetc", 400],
      [good, "?name=external", 400],
      [good, `?name=${"n".repeat(300)}`, 400],
      [Buffer.alloc(10 * 1024 * 1024 + 1), "?name=large", 413],
      [makeZip([config, { name: "big", content: "x".repeat(1_048_577) }]), "?name=big", 413],
    ];
    for (const [body, query, status] of cases) {
      const answer = await send(body, query);
      expect([query, answer.status]).toEqual([query, status]);
      expect(answer.error).toMatch(/\.$/);
    }
    expect(await send(good, "?name=form", "text/plain")).toMatchObject({ status: 415 });
    for (const body of [{}, { files: { "../x": "y", "config.yaml": CONFIG } }, { files: [1] }]) {
      expect((await api.call("POST", "/templates/import", { body })).status).toBe(400);
    }
    expect(await ids()).toEqual(before);
    expect(api.warnings).toEqual([]);
  });

  it("is undone by DELETE; a template of the folder is not, and what was made of it stays", async () => {
    const made = await api.createWorkspace({ name: "Stays", template: "zipped" });
    expect((await api.call("DELETE", "/templates/zipped")).status).toBe(200);
    expect((await api.call("DELETE", "/templates/zipped")).status).toBe(404);
    expect((await api.call("DELETE", "/templates/assistant")).status).toBe(409);
    expect((await api.call("DELETE", "/templates/..%2Fx")).status).toBe(404);
    expect(await ids()).not.toContain("zipped");
    expect((await api.call("GET", `/workspaces/${made}`)).status).toBe(200);
  });
});

describe("what a new workspace thinks with", () => {
  it("M3, M5: is what was chosen, else what the model says, else the template", async () => {
    const make = async (wish: object) => {
      const input = { name: "Ada", template: "coder", ...wish };
      return await configOf((await createFromCanvas(api.deps, ADMIN, input)).id);
    };
    expect(await make({})).toMatchObject({ model: "sonnet", provider: null });
    expect(await make({ provider: "anthropic-oauth", model: "opus" })).toMatchObject({
      model: "opus",
      provider: "anthropic-oauth",
    });
    expect(await make({ model: "grok/4" })).toMatchObject({ model: "grok/4", provider: "xai" });
    expect(await make({ provider: "acme", model: "grok/4" })).toMatchObject({ provider: "acme" });
    expect(await make({ model: "acme/m" })).toMatchObject({ model: "acme/m", provider: null });
  });

  it("M7: is started with the keys of the pair, and says exactly which one is missing", async () => {
    const make = async (wish: object) =>
      (await createFromCanvas(api.deps, ADMIN, { name: "Ada", template: "coder", ...wish })).id;
    const lacking = async (id: string) => {
      const failure = await lackOf(id);
      const shown = await viewSecrets(api.deps, id);
      const open = shown.filter((one) => one.isRequired && !one.hasValue).map(({ key }) => key);
      expect(open).toEqual(failure?.missing ?? []);
      return failure?.missing ?? null;
    };
    const oauth = { provider: "anthropic-oauth", model: "opus" };
    const token = { CLAUDE_CODE_OAUTH_TOKEN: "t" };
    expect(await lacking(await make({}))).toEqual(["ANTHROPIC_API_KEY"]);
    expect(await lacking(await make(oauth))).toEqual(["CLAUDE_CODE_OAUTH_TOKEN"]);
    expect(await lacking(await make({ ...oauth, secrets: token }))).toBeNull();
    // The pair's keys follow a change of the pair.
    const changed = await make({ ...oauth, secrets: token });
    const body = { provider: "anthropic" };
    expect((await api.call("PUT", `/workspaces/${changed}/provider`, { body })).status).toBe(200);
    expect(await lacking(changed)).toEqual(["ANTHROPIC_API_KEY"]);
  });

  it("M5: a derived provider follows the model that is set, a chosen one stays; GET says so", async () => {
    const id = await api.createWorkspace({ name: "Ada", model: "demo-1" });
    const at = `/workspaces/${id}`;
    const put = async (what: "model" | "provider", value: string) => {
      const answer = await api.call("PUT", `${at}/${what}`, { body: { [what]: value } });
      expect(answer.status).toBe(200);
    };
    const pair = async () => {
      const { model, provider } = await configOf(id);
      const shown = await (await api.call("GET", `${at}/provider`)).json();
      expect(shown).toMatchObject({ provider: provider ?? "" });
      return [model, provider];
    };
    await put("model", "grok/4");
    expect(await pair()).toEqual(["grok/4", "xai"]);
    await put("model", "acme/unknown");
    expect(await pair()).toEqual(["acme/unknown", null]);
    await put("provider", "acme");
    await put("model", "openai/gpt");
    expect(await pair()).toEqual(["openai/gpt", "acme"]);
  });

  it("M8: what was chosen outlives restarts with a template; what was not becomes the new one's", async () => {
    const make = async (wish: object) => {
      const created = await createFromCanvas(api.deps, ADMIN, { name: "Bo", ...wish });
      return created.id;
    };
    const restart = async (id: string, body: object) => {
      const answer = await api.call("POST", `/workspaces/${id}/restart`, { body });
      expect(answer.status).toBe(200);
      const { model, provider } = await configOf(id);
      return [model, provider];
    };
    const files = { "config.yaml": "name: Next\nruntime: demo\nmodel: demo-2\nprovider: acme\n" };
    expect((await api.call("POST", "/templates/import", { body: { files } })).status).toBe(201);
    const chosen = await make({ template: "assistant", model: "demo-9", provider: "mine" });
    expect(await restart(chosen, {})).toEqual(["demo-9", "mine"]);
    expect(await restart(chosen, { apply_template: true })).toEqual(["demo-9", "mine"]);
    expect(await restart(chosen, { template: "next" })).toEqual(["demo-9", "mine"]);
    const plain = await make({ template: "assistant" });
    expect(await restart(plain, { template: "next" })).toEqual(["demo-2", "acme"]);
    expect(await restart(plain, { template: "assistant" })).toEqual(["demo-1", null]);
  });
});

describe("GET /org/templates", () => {
  it("has every field of the contract; a malformed one is left out with a line that says why", async () => {
    expect(await (await api.call("GET", "/org/templates")).json()).toEqual([
      {
        dir: "small-team",
        name: "Small team",
        description: expect.stringContaining("lead"),
        workspaces: 4,
        required_env: [],
        recommended_env: [],
      },
    ]);
    await mkdir(path.join(dir, "teams", "bad"), { recursive: true });
    await mkdir(path.join(dir, "teams", "keys"));
    const yaml = `name: Keys
required_env: [A, {any_of: [B, C]}]
recommended_env: [A, D]
workspaces: [{name: one, children: [{name: two}]}]`;
    await writeFile(path.join(dir, "teams", "keys", "org.yaml"), yaml);
    const lines: object[] = [];
    const log = { ...api.deps.log, warn: (data: object) => void lines.push(data) };
    const there = { ...api.deps, log, orgTemplatesDir: path.join(dir, "teams") };
    expect(await listOrgTemplateRows(there)).toMatchObject([
      {
        dir: "keys",
        workspaces: 2,
        required_env: ["A", { any_of: ["B", "C"] }],
        recommended_env: ["D"],
      },
    ]);
    expect(lines).toEqual([{ folder: "bad", cause: "org.yaml is missing." }]);
  });
});

describe("what we ship", () => {
  it("makes an agent of each template, also with the demo agent, which needs no key", async () => {
    const shipped = await loadTemplates(api.deps.templatesDir);
    expect(shipped).toHaveLength(4);
    for (const one of shipped) {
      const template = idOf(one);
      const { id } = await createFromCanvas(api.deps, ADMIN, { name: template, template });
      const row = await configOf(id);
      expect((await lackOf(id))?.missing ?? []).toEqual(row.requiredEnv);
      const demo = { name: template, template, runtime: "demo" as const };
      const trial = await createFromCanvas(api.deps, ADMIN, demo);
      expect(trial.node.runtime).toBe("demo");
      expect(await lackOf(trial.id)).toBeNull();
      const config = await configOf(trial.id);
      expect(config).toMatchObject({ model: "demo-1", instructions: row.instructions });
    }
  });

  it("makes every agent of each team with the demo agent, under whom it belongs", async () => {
    const teams = await loadOrgTemplates(api.deps.orgTemplatesDir);
    expect(teams.map(({ kind }) => kind)).toEqual(["org"]);
    const make = async (node: OrgTreeNode, parentId: string | null): Promise<number> => {
      const { name, role, template, runtime, model, tier, instructions } = node;
      const wish = { name, role, template, model, tier, instructions, parentId };
      const created = await createFromCanvas(api.deps, ADMIN, {
        ...wish,
        runtime: runtimeOf(runtime),
      });
      expect(created.node).toMatchObject({
        name,
        parentId,
        runtime: "demo",
        desiredModel: "demo-1",
      });
      expect(await lackOf(created.id)).toBeNull();
      let made = 1;
      for (const child of node.children) made += await make(child, created.id);
      return made;
    };
    for (const team of teams) {
      if (team.kind !== "org") continue;
      let made = 0;
      for (const node of team.org.workspaces) made += await make(node, null);
      expect(made).toBe(countNodes(team.org.workspaces));
    }
  });

  const runtimeOf = (name: string | null) => RUNTIMES.find((known) => known === name) ?? null;
});
