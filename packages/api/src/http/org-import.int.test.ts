import { randomUUID } from "node:crypto";
import { paceImport } from "@molecule/db/orgs/pace-starts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { appRouter } from "../root.ts";
import { importTeam } from "../services/orgs/import-team.ts";
import { planTeam } from "../services/orgs/plan-import.ts";
import { createCaller } from "../trpc.ts";

let api: TestApi;

beforeAll(async () => {
  api = await createTestApi();
});
beforeEach(async () => {
  await api.test.setSkewMs(0);
  await api.test.sql`DELETE FROM org_imports`;
  await api.test.sql`DELETE FROM workspaces`;
  await api.test.sql`DELETE FROM global_secrets`;
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

type Json = Record<string, unknown>;
const trpc = () =>
  createCaller(appRouter)({ deps: api.deps, auth: { kind: "admin" }, requestId: "r" });

const TEAM = {
  name: "Team",
  defaults: { runtime: "demo", model: "demo-1" },
  workspaces: [
    {
      name: "Lead",
      role: "leads",
      system_prompt: "Lead them.",
      initial_memories: [{ content: "we ship on Fridays" }],
      schedules: [{ name: "daily", cron_expr: "0 9 * * *", prompt: "Report" }],
      children: [
        { name: "Coder", tier: 3, max_concurrent_tasks: 2, channels: [{ type: "x" }] },
        { name: "Writer", children: [{ name: "Proof" }] },
      ],
    },
    { name: "Outside", external: true, canvas: { x: 900, y: 40 } },
  ],
  global_memories: ["be kind"],
};

async function post(body: unknown, query = ""): Promise<{ status: number; body: Json }> {
  const response = await api.call("POST", `/org/import${query}`, { body });
  return { status: response.status, body: (await response.json()) as Json };
}
const tree = async () => {
  const rows = await api.test.sql`
    SELECT w.name, p.name AS parent, w.tier, w.runtime, w.role, w.intent, w.phase, l.x, l.y,
      w.max_concurrent_tasks AS tasks, w.failure->'missing' AS missing
    FROM workspaces w LEFT JOIN workspaces p ON p.id = w.parent_id
    JOIN layouts l ON l.workspace_id = w.id WHERE w.intent <> 'deleted' ORDER BY w.name`;
  return rows.map((row) => ({ ...row }));
};
const count = async (table: string) =>
  Number((await api.test.sql`SELECT count(*) AS n FROM ${api.test.sql(table)}`)[0]?.n);
/** One look of a worker at every import. */
const pace = async () => {
  for (const { id } of await api.test.sql`SELECT id FROM org_imports WHERE ended_at IS NULL`) {
    await api.test.db.transaction((tx) => paceImport(tx, String(id)));
  }
};
const due = async () => {
  const rows = await api.test.sql`SELECT name FROM workspaces
    WHERE next_action_at <= cp_now() AND phase = 'NEW' ORDER BY name`;
  return rows.map(({ name }) => String(name));
};

describe("POST /org/import", () => {
  it("makes the tree with everything that belongs to it, and says what it left out", async () => {
    const { status, body } = await post({ template: TEAM, force: true, anything: 1 });
    expect([status, body]).toMatchObject([201, { org: "Team", count: 5, created: 5 }]);
    expect((body.workspaces as Json[])[1]).toMatchObject({
      name: "Coder",
      path: "Lead / Coder",
      tier: 3,
      channels: 0,
      channels_skipped: 1,
    });
    expect(await tree()).toMatchObject([
      { name: "Coder", parent: "Lead", tier: 3, tasks: 2, x: 16, y: 130 },
      { name: "Lead", parent: null, tier: 2, role: "leads", runtime: "demo" },
      { name: "Outside", parent: null, runtime: "external", x: 900, y: 40 },
      { name: "Proof", parent: "Writer" },
      { name: "Writer", parent: "Lead", x: 294, y: 130, tasks: 4 },
    ]);
    const memories = await api.test.sql`
      SELECT w.name, m.scope, m.content FROM memories m JOIN workspaces w ON w.id = m.workspace_id
      ORDER BY w.name, m.scope`;
    expect(memories.map((row) => [row.name, row.scope, row.content])).toEqual([
      ["Lead", "LOCAL", "we ship on Fridays"],
      ["Lead", "GLOBAL", "be kind"],
      ["Outside", "GLOBAL", "be kind"],
    ]);
    expect(await count("schedules")).toBe(1);
    const [told] = await api.test.sql`SELECT payload FROM events
      WHERE event = 'WORKSPACE_PROVISIONING' AND payload->>'name' = 'Coder'`;
    expect(told?.payload).toMatchObject({ parent_id: expect.any(String), x: 16, y: 130 });
    const view = await trpc().orgs.readImport({ id: String(body.import_id) });
    expect(view.nodes.map(({ path, outcome }) => [path, outcome])).toEqual([
      ["Lead", "created"],
      ["Lead / Coder", "created"],
      ["Lead / Writer", "created"],
      ["Lead / Writer / Proof", "created"],
      ["Outside", "created"],
    ]);
  });

  it("OR2: imported again makes nothing that is there; what was deleted is made", async () => {
    const first = await post({ template: TEAM });
    const again = await post({ template: TEAM });
    expect([again.status, again.body]).toMatchObject([201, { count: 5, created: 0 }]);
    const ids = (body: Json) => (body.workspaces as Json[]).map(({ id }) => id);
    expect(ids(again.body)).toEqual(ids(first.body));
    const proof = ids(first.body)[3];
    await api.call("DELETE", `/workspaces/${proof}`);
    const third = await post({ template: TEAM });
    expect([third.status, third.body]).toMatchObject([201, { count: 5, created: 1 }]);
    expect(ids(third.body)[3]).not.toBe(proof);
  });

  it("OR4: answers 207 with the names of what was left out, and 400 when nothing is left", async () => {
    const bad = { name: "Bad", runtime: "nonsense", children: [{ name: "Below" }] };
    const unknown = { name: "Odd", template: "no-such-template" };
    const late = {
      name: "Late",
      schedules: [{ name: "s", cron: "0 9 * * *", timezone: "Mars", prompt: "p" }],
    };
    const dir = { name: "Dir", workspace_dir: "/etc/x" };
    const lost = { name: "Lost", files_dir: "nowhere" };
    const up = { name: "Up", files_dir: "../x" };
    const lines = { name: "Two\nlines" };
    const local = { name: "Local", external: true, url: "http://127.0.0.1:1" };
    const workspaces = [bad, unknown, late, dir, lost, up, lines, local];
    const { status, body } = await post({
      template: { ...TEAM, workspaces: [...TEAM.workspaces, ...workspaces] },
    });
    expect([status, body.count]).toEqual([207, 5]);
    expect(body.error).toContain("“Bad”");
    const left = body.not_made as { path: string; error: string }[];
    expect(left.map(({ path }) => path)).toEqual([
      "Bad",
      "Bad / Below",
      "Odd",
      "Late",
      "Dir",
      "Lost",
      "Up",
      "Two?lines",
      "Local",
    ]);
    expect(left.every(({ error }) => error.length > 10)).toBe(true);
    expect(await count("workspaces")).toBe(5);
    const none = await post({ template: { name: "None", workspaces: [bad, lost] } });
    expect(none.status).toBe(400);
    expect(none.body.error).toContain("Nothing of this team");
  });

  it("refuses what is no team, and tells an unknown folder", async () => {
    const refused: [unknown, number][] = [
      [{}, 400],
      [{ dir: "" }, 400],
      [{ dir: "a", template: TEAM }, 400],
      [{ template: { name: "x" } }, 400],
      [{ template: { name: "x", workspaces: [] } }, 400],
      [{ template: "x" }, 400],
      [{ files: { "other.yaml": "" } }, 400],
      [{ files: { "../org.yaml": "name: x" } }, 400],
      [{ dir: "nowhere" }, 404],
      [{ dir: "../small-team" }, 404],
      [{ dir: "small-team", parent_id: randomUUID() }, 404],
      [{ dir: "small-team", parent_id: "x" }, 400],
      [{ template: { name: "x", workspaces: Array(1_000).fill({ name: "a" }) } }, 400],
    ];
    for (const [body, status] of refused) {
      const answer = await post(body);
      expect([answer.status, typeof answer.body.error], JSON.stringify(body).slice(0, 80)).toEqual([
        status,
        "string",
      ]);
    }
    expect([await count("workspaces"), await count("org_imports")]).toEqual([0, 0]);
  });

  it("OR5: answers 412 with what is missing, whatever is forced, and 201 when the keys are there", async () => {
    const template = {
      ...TEAM,
      required_env: ["TEAM_KEY"],
      workspaces: [{ name: "A", required_env: [{ any_of: ["X_KEY", "Y_KEY"] }, "TEAM_KEY"] }],
    };
    const refused = await post({ template, force: true });
    expect([refused.status, refused.body]).toMatchObject([
      412,
      {
        error: "The keys TEAM_KEY, X_KEY or Y_KEY are not set, and this team needs them.",
        missing_env: ["TEAM_KEY", { any_of: ["X_KEY", "Y_KEY"] }],
        required_env: ["TEAM_KEY", { any_of: ["X_KEY", "Y_KEY"] }],
        template: "Team",
        suggestion: expect.any(String),
      },
    ]);
    expect(await count("workspaces")).toBe(0);
    for (const key of ["TEAM_KEY", "Y_KEY"]) {
      await api.call("PUT", "/settings/secrets", { body: { key, value: "there" } });
    }
    expect((await post({ template })).status).toBe(201);
  });

  it("a dry run shows the tree, what it needs and what would start, and changes nothing", async () => {
    await post({ template: { ...TEAM, workspaces: [{ name: "Lead" }] } });
    const before = [await count("workspaces"), await count("events"), await count("org_imports")];
    const template = { ...TEAM, required_env: ["TEAM_KEY"] };
    const { status, body } = await post({ template }, "?dry_run=true");
    expect(status).toBe(200);
    expect(body.preview).toMatchObject({
      missing: [["TEAM_KEY"]],
      counts: { total: 5, create: 4, exists: 1, leftOut: 0, startNow: 0, startLater: 4 },
      atOnce: 3,
    });
    const preview = await trpc().orgs.previewImport({
      source: { kind: "template", template: TEAM },
    });
    expect(preview.nodes.map(({ path, action, starts }) => [path, action, starts])).toEqual([
      ["Lead", "exists", "no"],
      ["Lead / Coder", "create", "now"],
      ["Lead / Writer", "create", "now"],
      ["Lead / Writer / Proof", "create", "now"],
      ["Outside", "create", "elsewhere"],
    ]);
    expect(preview.notes).toEqual(["Channels are not supported; 1 of them are left out."]);
    expect([await count("workspaces"), await count("events"), await count("org_imports")]).toEqual(
      before,
    );
  });

  it("takes a folder with its files: prompts, files of agents, and .env files as secrets", async () => {
    const files = {
      "team/org.yaml": `
name: Folder
defaults: {runtime: demo}
required_env: [SHARED]
workspaces:
  - {name: A, files_dir: a, initial_prompt_file: first.md}
  - {name: B, plugins: ["github://o/r#v1"]}
`,
      "team/.env": "SHARED=canary-shared\nOWN=canary-of-all\n",
      "team/a/.env": "OWN=canary-own\nbad line\n",
      "team/a/system-prompt.md": "You are A.",
      "team/a/first.md": "Begin.",
      "team/a/deep/notes.md": "notes",
      "team/a/pic.bin": { base64: Buffer.from([0, 255]).toString("base64") },
      "team/.git/config": "no",
    };
    const { status, body } = await post({ files });
    expect([status, body.error]).toEqual([201, undefined]);
    const [a] = await api.test.sql`SELECT id, config FROM workspaces WHERE name = 'A'`;
    expect(a?.config).toMatchObject({
      instructions: "You are A.",
      extra: { initial_prompt: "Begin.", team_required_env: ["SHARED"] },
    });
    const kept = await api.test.sql`SELECT path FROM managed_files ORDER BY path`;
    expect(kept.map(({ path }) => path)).toEqual(["deep/notes.md", "first.md", "pic.bin"]);
    const values = await (await api.call("GET", `/workspaces/${a?.id}/secrets`)).json();
    expect((values as { key: string }[]).map(({ key }) => key)).toEqual(["OWN", "SHARED"]);
    const preview = await trpc().orgs.previewImport({ source: { kind: "files", files } });
    expect(preview.nodes[0]).toMatchObject({ secrets: ["OWN", "SHARED"], files: 3 });
    expect(preview.nodes[0]?.note).toContain("Lines 2 of its .env");
    expect(preview.nodes[1]?.note).toContain("1 plugins are named and not installed");
    const text = JSON.stringify([body, preview, await api.test.sql`SELECT payload FROM events`]);
    expect(text).not.toContain("canary");
  });

  it("imports the team we ship below a workspace", async () => {
    const parent = await api.createWorkspace({ name: "Top" });
    const { status } = await post({ dir: "small-team", parent_id: parent });
    expect(status).toBe(201);
    expect((await tree()).find(({ name }) => name === "Lead")?.parent).toBe("Top");
  });
});

describe("the turns of an import", () => {
  const wide = {
    name: "Wide",
    defaults: { runtime: "demo" },
    workspaces: [1, 2, 3, 4, 5].map((n) => ({ name: `N${n}` })),
  };
  const phase = (name: string, to: string) =>
    api.test
      .sql`UPDATE workspaces SET phase = ${to}::phase, deadline_at = cp_now() WHERE name = ${name}`;

  it("OR7: three start at a time, in order; the next when one is up, failed or started by hand", async () => {
    const { body } = await post({ template: wide });
    expect(await due()).toEqual(["N1", "N2", "N3"]);
    await pace();
    expect(await due()).toEqual(["N1", "N2", "N3"]);
    await phase("N1", "BOOTING");
    await pace();
    expect(await due()).toEqual(["N2", "N3"]);
    await phase("N1", "READY");
    await phase("N2", "FAILED");
    await pace();
    expect(await due()).toEqual(["N3", "N4", "N5"]);
    const view = await trpc().orgs.readImport({ id: String(body.import_id) });
    expect(view).toMatchObject({ state: "starting", counts: { failedStart: 1, waiting: 0 } });
    for (const name of ["N3", "N4", "N5"]) await phase(name, "READY");
    await pace();
    const [ended] = await api.test.sql`SELECT state FROM org_imports`;
    expect(ended?.state).toBe("done");
    const told = await api.test.sql`SELECT payload->>'state' AS state FROM events
      WHERE event = 'ORG_IMPORT_UPDATED' AND payload->>'import_id' = ${String(body.import_id)} ORDER BY id`;
    expect(told.at(-1)?.state).toBe("done");
  });

  it("OR8: a server that ends in the middle loses nothing silently, and importing again makes the rest", async () => {
    const actor = { kind: "admin", name: "the administrator" } as const;
    const wish = {
      bundle: { org: await orgOf(TEAM), files: new Map(), notes: [] },
      dir: null,
      parentId: null,
      place: null,
      isStaged: false,
    };
    const planned = await planTeam(api.deps, actor, wish);
    const importId = randomUUID();
    const died = importTeam(api.deps, actor, planned, {
      importId,
      onLevel: async (level) => {
        if (level === 1) throw new Error("killed");
      },
    });
    await expect(died).rejects.toThrow("killed");
    await pace();
    expect((await trpc().orgs.readImport({ id: importId })).state).toBe("making");
    await api.test.setSkewMs(61_000);
    await pace();
    const view = await trpc().orgs.readImport({ id: importId });
    expect(view.nodes.map(({ path, outcome }) => [path, outcome])).toEqual([
      ["Lead", "created"],
      ["Lead / Coder", "not_made"],
      ["Lead / Writer", "not_made"],
      ["Lead / Writer / Proof", "not_made"],
      ["Outside", "created"],
    ]);
    expect(view.nodes[1]?.note).toContain("Import the team again");
    await phase("Lead", "READY");
    await pace();
    expect((await trpc().orgs.readImport({ id: importId })).state).toBe("stopped");
    const again = await post({ template: TEAM });
    expect([again.status, again.body]).toMatchObject([201, { count: 5, created: 3 }]);
  });

  it("OR8: a maker that wakes up after it was given up makes nothing more", async () => {
    const actor = { kind: "admin", name: "the administrator" } as const;
    const wish = {
      bundle: { org: await orgOf(TEAM), files: new Map(), notes: [] },
      dir: null,
      parentId: null,
      place: null,
      isStaged: false,
    };
    const planned = await planTeam(api.deps, actor, wish);
    const id = await importTeam(api.deps, actor, planned, {
      onLevel: async (level) => {
        if (level !== 1) return;
        await api.test.setSkewMs(61_000);
        await pace();
      },
    });
    expect((await tree()).map(({ name }) => name)).toEqual(["Lead", "Outside"]);
    expect((await trpc().orgs.readImport({ id })).counts.notMade).toBe(3);
  });

  it("the same id again is the same import; two imports at once make each agent once", async () => {
    const importId = randomUUID();
    const input = { source: { kind: "template" as const, template: TEAM } };
    const first = await trpc().orgs.startImport({ ...input, importId });
    const second = await trpc().orgs.startImport({ ...input, importId });
    expect(second.id).toBe(first.id);
    expect(await trpc().orgs.listImports()).toHaveLength(1);
    await Promise.all([post({ template: wide }), post({ template: wide })]);
    expect(await count("workspaces")).toBe(10);
  });
});

describe("a staged import", () => {
  const template = {
    ...TEAM,
    required_env: ["TEAM_KEY"],
    workspaces: [{ name: "Lead", children: [{ name: "Coder", required_env: ["CODE_KEY"] }] }],
  };
  const resume = async (id: unknown) => {
    const response = await api.call("POST", `/workspaces/${id}/resume`);
    return { status: response.status, body: (await response.json()) as Json };
  };

  it("OR9: starts nothing, lists the keys on each agent, and refuses to start before they are there", async () => {
    const { status, body } = await post({ template, stage: true });
    expect([status, body.staged]).toEqual([201, true]);
    const [lead, coder] = (body.workspaces as Json[]).map(({ id }) => id);
    expect(await tree()).toMatchObject([
      { name: "Coder", intent: "paused", phase: "PAUSED", missing: ["TEAM_KEY", "CODE_KEY"] },
      { name: "Lead", intent: "paused", phase: "PAUSED", missing: ["TEAM_KEY"] },
    ]);
    expect(await due()).toEqual([]);
    const [audit] = await api.test.sql`SELECT summary, actor_name FROM activity
      WHERE workspace_id = ${String(lead)} AND activity_type = 'lifecycle'`;
    expect(audit?.summary).toContain("with the team “Team” by");
    expect(audit?.summary).toContain("at rest");

    const refused = await resume(lead);
    expect([refused.status, refused.body]).toMatchObject([
      412,
      {
        error: "2 agents cannot start, as they lack TEAM_KEY, CODE_KEY: “Lead”, “Coder”.",
        missing: ["TEAM_KEY", "CODE_KEY"],
      },
    ]);
    await api.call("PUT", "/settings/secrets", { body: { key: "TEAM_KEY", value: "there" } });
    expect((await resume(lead)).body.error).toContain("“Coder” cannot start: The key CODE_KEY");
    await api.call("PUT", `/workspaces/${coder}/secrets`, {
      body: { key: "CODE_KEY", value: "there" },
    });
    expect(await resume(lead)).toMatchObject({ status: 200, body: { resumed_count: 2 } });
    expect(await due()).toEqual(["Coder", "Lead"]);
  });

  it("OR9: resumed as a team it takes turns, three at a time", async () => {
    const many = {
      name: "M",
      defaults: { runtime: "demo" },
      workspaces: [{ name: "Top", children: [1, 2, 3, 4, 5].map((n) => ({ name: `C${n}` })) }],
    };
    const { body } = await post({ template: many, stage: true });
    expect((await trpc().orgs.readImport({ id: String(body.import_id) })).state).toBe("done");
    expect((await resume((body.workspaces as Json[])[0]?.id)).status).toBe(200);
    expect(await due()).toEqual(["C1", "C2", "Top"]);
    const view = await trpc().orgs.readImport({ id: String(body.import_id) });
    expect(view).toMatchObject({ state: "starting", counts: { waiting: 3, starting: 3 } });
  });
});

async function orgOf(template: unknown) {
  const { bundleWithoutFiles } = await import("@molecule/templates/org-bundle");
  return bundleWithoutFiles(template).org;
}
