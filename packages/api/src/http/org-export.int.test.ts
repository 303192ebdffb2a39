import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { appRouter } from "../root.ts";
import { createCaller } from "../trpc.ts";

let from: TestApi;
let to: TestApi;

beforeAll(async () => {
  [from, to] = await Promise.all([createTestApi(), createTestApi()]);
});
afterAll(async () => {
  await Promise.all([from[Symbol.asyncDispose](), to[Symbol.asyncDispose]()]);
});

const FILES = {
  "org.yaml": `
name: Whole
defaults: {runtime: demo, model: demo-1}
workspaces:
  - name: Lead
    role: leads
    template: assistant
    system_prompt: "Lead them: all."
    files_dir: lead
    max_concurrent_tasks: 7
    schedules: [{name: daily, cron_expr: "0 9 * * 1-5", timezone: Europe/Berlin, prompt: Report, enabled: false}]
    children:
      - {name: Coder, tier: 3, runtime: claude-code, template: coder, required_env: [{any_of: [AA_KEY, BB_KEY]}]}
      - name: "1.0"
        canvas: {x: 700.5, y: -20}
        children: [{name: Below, initial_prompt: "go\\non"}]
  - {name: Lead two, external: true}
  - {name: lead}
`,
  "lead/.env": "AA_KEY=canary-of-the-lead\n",
  "lead/deep/notes.md": "The key is canary-of-the-lead, the rest is not.",
  "lead/pic.bin": { base64: Buffer.from([0, 255, 10, 13]).toString("base64") },
  "lead/told.bin": { base64: Buffer.from("\xffcanary-of-the-lead", "latin1").toString("base64") },
};

async function exported(api: TestApi, query = ""): Promise<Buffer> {
  const response = await api.call("GET", `/org/export${query}`);
  expect(response.status, await response.clone().text()).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}
const imported = async (api: TestApi, body: unknown, headers = {}) => {
  const response = await api.call("POST", "/org/import?stage=true", { body, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
/** Everything of an organisation that is no secret and no time. */
async function shapeOf(api: TestApi) {
  const rows = await api.test.sql`
    SELECT w.name, p.name AS parent, w.role, w.tier, w.runtime, w.template, w.config,
      w.max_concurrent_tasks AS tasks, w.advertised_url AS url, l.x, l.y,
      (SELECT jsonb_object_agg(f.path, encode(f.content, 'hex')) FROM managed_files f
        WHERE f.workspace_id = w.id) AS files,
      (SELECT jsonb_agg(jsonb_build_array(s.name, s.cron_expr, s.timezone, s.prompt, s.enabled)
        ORDER BY s.name) FROM schedules s WHERE s.workspace_id = w.id) AS schedules
    FROM workspaces w LEFT JOIN workspaces p ON p.id = w.parent_id
    JOIN layouts l ON l.workspace_id = w.id ORDER BY w.name COLLATE "C"`;
  return rows.map((row) => ({ ...row }));
}

describe("a team that is taken along", () => {
  it("OR10: is the same tree in an empty organisation, the same bytes again, and has no secret in it", async () => {
    const made = await imported(from, { files: FILES });
    expect([made.status, made.body.error]).toEqual([201, undefined]);
    const bundle = await exported(from);
    expect(bundle.equals(await exported(from))).toBe(true);
    const text = gunzipSync(bundle).toString("latin1");
    expect(text).not.toContain("canary");
    expect(text).toContain("the rest is not.");

    const again = await imported(to, bundle, { "content-type": "application/gzip" });
    expect([again.status, again.body]).toMatchObject([201, { count: 6, created: 6 }]);
    const [before, after] = [await shapeOf(from), await shapeOf(to)];
    expect(after.map(({ name, parent }) => [name, parent])).toEqual([
      ["1.0", "Lead"],
      ["Below", "1.0"],
      ["Coder", "Lead"],
      ["Lead", null],
      ["Lead two", null],
      ["lead", null],
    ]);
    const known = (shape: typeof before) =>
      shape.map((row) =>
        row.name === "Lead" ? { ...row, files: Object.keys(row.files as object) } : row,
      );
    const withoutTold = known(before).map((row) =>
      row.name === "Lead"
        ? { ...row, files: (row.files as string[]).filter((path) => path !== "told.bin") }
        : row,
    );
    expect(known(after)).toEqual(withoutTold);
    const notes = after.find(({ name }) => name === "Lead")?.files as Record<string, string>;
    expect(Buffer.from(notes["deep/notes.md"] ?? "", "hex").toString()).toBe(
      "The key is ••••••, the rest is not.",
    );
    expect(notes["pic.bin"]).toBe("00ff0a0d");
    // What was imported gives the same bundle, but for the organisation it came from.
    expect(gunzipSync(await exported(to)).equals(gunzipSync(bundle))).toBe(true);
    expect(await to.test.sql`SELECT 1 FROM workspace_secrets`).toHaveLength(0);
  });

  it("is one team with everything below it, and what is not there is 404", async () => {
    const [row] = await from.test.sql`SELECT id FROM workspaces WHERE name = '1.0'`;
    const trpc = createCaller(appRouter)({
      deps: from.deps,
      auth: { kind: "admin" },
      requestId: "r",
    });
    const bundle = await trpc.orgs.exportBundle({ rootId: String(row?.id) });
    expect(bundle).toMatchObject({ fileName: "1-0.tar.gz", workspaces: 2, blanked: [] });
    const yaml = gunzipSync(Buffer.from(bundle.contentBase64, "base64")).toString();
    expect(yaml).toContain('name: "Below"');
    expect(yaml).not.toContain('"Lead"');
    const absent = "00000000-0000-4000-8000-000000000000";
    expect((await from.call("GET", `/org/export?root=${absent}`)).status).toBe(404);
    expect((await from.call("GET", "/org/export?root=x")).status).toBe(400);
  });

  it("is refused as a damaged archive, with links, and where org.yaml is missing", async () => {
    const bundle = await exported(from);
    for (const body of [bundle.subarray(0, 60), Buffer.from("no archive"), Buffer.alloc(0)]) {
      const answer = await imported(to, body, { "content-type": "application/gzip" });
      expect([answer.status, typeof answer.body.error]).toEqual([400, "string"]);
    }
    const form = await imported(to, bundle, { "content-type": "multipart/form-data" });
    expect(form.status).toBe(415);
  });
});
