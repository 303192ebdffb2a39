import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { MAX_CHECKPOINTS } from "@molecule/domain/memory";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

let api: TestApi;
let id: string;
let token: string;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  id = await api.createWorkspace({ name: "Ada", secrets: { A_KEY: "hunter22" } });
  token = await api.tokenOf(id);
});

const call = async (method: string, rest: string, body?: unknown) => {
  const given = body === undefined ? {} : { body };
  const response = await api.call(method, `/workspaces/${id}${rest}`, { token, ...given });
  return [response.status, (await response.json()) as Record<string, unknown>] as const;
};

describe("checkpoints", () => {
  it("ME11: the latest is what was given last, of all or of one workflow, without secrets", async () => {
    expect((await call("GET", "/checkpoints/latest"))[0]).toBe(404);
    const first = {
      workflow_id: "a",
      step_name: "plan",
      step_index: 1,
      payload: { k: "hunter22" },
    };
    const [status, saved] = await call("POST", "/checkpoints", first);
    expect([status, saved]).toEqual([
      201,
      { id: expect.any(String), status: "saved", created_at: expect.any(String) },
    ]);
    await call("POST", "/checkpoints", { workflow_id: "b", note: "\u0000\ud800" });
    expect(await call("GET", "/checkpoints/latest")).toMatchObject([
      200,
      { workspace_id: id, workflow_id: "b", note: "\u0000\ud800" },
    ]);
    expect(await call("GET", "/checkpoints/latest?workflow_id=a")).toEqual([
      200,
      { ...first, ...saved, status: undefined, workspace_id: id, payload: { k: "••••••" } },
    ]);
    expect((await call("GET", "/checkpoints/latest?workflow_id=c"))[0]).toBe(404);
  });

  it("ME11: are so many, and the oldest go", async () => {
    for (let n = 0; n <= MAX_CHECKPOINTS; n += 1) {
      await call("POST", "/checkpoints", { workflow_id: n === 0 ? "first" : "later", n });
    }
    expect((await call("GET", "/checkpoints/latest?workflow_id=first"))[0]).toBe(404);
    const rows = await api.test.sql`SELECT 1 FROM checkpoints WHERE workspace_id = ${id}`;
    expect(rows).toHaveLength(MAX_CHECKPOINTS);
  });

  it("refuse what is no object, or too large", async () => {
    for (const wrong of ["x", 5, [1], { workflow_id: 5 }]) {
      expect((await call("POST", "/checkpoints", wrong))[0]).toBe(400);
    }
    expect((await call("POST", "/checkpoints", { a: "x".repeat(65_536) }))[0]).toBe(413);
    expect((await call("GET", "/checkpoints/latest"))[0]).toBe(404);
  });
});

it("there is no GitHub App, and the answer says what to do instead", async () => {
  expect(await call("GET", "/github-installation-token")).toMatchObject([
    501,
    { error: expect.any(String), next: expect.stringContaining("GITHUB_TOKEN") },
  ]);
});

describe("a plugin of a workspace", () => {
  beforeEach(async () => {
    const files = {
      "plugins/probe/plugin.yaml": "name: probe\n",
      "plugins/probe/skills/a.md": "# a",
    };
    await call("PUT", "/files", {
      files: { ...files, "plugins/other/plugin.yaml": "name: other\n" },
    });
  });

  it("is downloaded as an archive of its folder", async () => {
    const target = `/workspaces/${id}/plugins/probe/download?source=local://probe`;
    const response = await api.call("GET", target, { token });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/gzip",
      "x-plugin-name": "probe",
      "x-plugin-source": "local://probe",
    });
    const folder = await mkdtemp(path.join(tmpdir(), "molecule-plugin-"));
    try {
      const archive = path.join(folder, "a.tar.gz");
      await writeFile(archive, Buffer.from(await response.arrayBuffer()));
      const { stdout } = await promisify(execFile)("tar", ["-xzvf", archive, "-C", folder]);
      expect(stdout.trim().split("\n").sort()).toEqual(["plugin.yaml", "skills/a.md"]);
      expect(await readFile(path.join(folder, "skills/a.md"), "utf8")).toBe("# a");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it.each([
    ["none", "none", "", 404],
    ["a folder of plugins", "pro", "", 404],
    ["a path", "..%2Fother", "", 400],
    ["another source", "probe", "?source=local://other", 404],
    ["another scheme", "probe", "?source=ftp://a/b", 400],
  ])("refuses %s", async (_what, name, query, status) => {
    const [got, body] = await call("GET", `/plugins/${name}/download${query}`);
    expect(got).toBe(status);
    if (query.includes("ftp")) expect(body.available_schemes).toEqual(["github", "local"]);
  });
});
