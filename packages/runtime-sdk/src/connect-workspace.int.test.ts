import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { waitUntil } from "@molecule/testing/wait-until";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  message,
  runAt,
  saying,
  startTestAgent,
  type TestAgent,
} from "../../api/src/a2a/test-agent.fixture.ts";
import { createTestApi, TEST_ADMIN_TOKEN, type TestApi } from "../../api/src/api.fixture.ts";

const PACKAGE = path.resolve(import.meta.dirname, "..");

/** The program of the README, as somebody would copy it. */
async function buildExample(outfile: string): Promise<void> {
  const readme = await readFile(path.join(PACKAGE, "README.md"), "utf8");
  const contents = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  await build({
    stdin: { contents, resolveDir: PACKAGE, loader: "ts", sourcefile: "readme.ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
}

describe("the example of the README, against a real server", () => {
  let api: TestApi;
  let bob: TestAgent;
  let folder: string;
  let url: string;
  let id: string;
  let program: ChildProcess;
  beforeAll(async () => {
    api = await createTestApi({ platform: { allowCidrs: ["127.0.0.0/8"] } });
    url = await api.listen();
    bob = await startTestAgent();
    await runAt(api, await api.createWorkspace({ name: "Bob" }), bob.address);
    folder = await mkdtemp(path.join(tmpdir(), "molecule-example-"));
    const file = path.join(folder, "example.mjs");
    await buildExample(file);
    const body = { name: "Parrot", external: true };
    const answer = await api.call("POST", "/workspaces", { body });
    const created = (await answer.json()) as { id: string; connection: { auth_token: string } };
    id = created.id;
    program = spawn(process.execPath, [file], {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        PATH: process.env.PATH,
        PLATFORM_URL: url,
        WORKSPACE_ID: id,
        MOLECULE_WORKSPACE_TOKEN: created.connection.auth_token,
        AGENT_FOLDER: path.join(folder, "agent"),
      },
    });
    await waitUntil("it is online", async () => {
      const row = (await (await api.call("GET", `/workspaces/${id}`)).json()) as { status: string };
      return row.status === "online";
    });
  });
  afterAll(async () => {
    program?.kill("SIGKILL");
    await api[Symbol.asyncDispose]();
    await bob[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const say = async (text: string) => {
    const answer = await api.call("POST", `/workspaces/${id}/a2a`, { body: message(text) });
    const body = (await answer.json()) as {
      result?: { artifacts?: { parts: { text: string }[] }[] };
    };
    expect(answer.status, JSON.stringify(body)).toBe(200);
    return body.result?.artifacts?.flatMap(({ parts }) => parts.map((part) => part.text)).join("");
  };

  it("is dialled by the platform and answers", async () => {
    expect(await say("hello")).toBe("You said: hello");
  });

  it("hands a task to a peer and tells its whole answer", async () => {
    const long = "la ".repeat(500).trim();
    bob.behave(saying(long));
    expect(await say("ask Bob: sing")).toBe(`Bob says: ${long}`);
    expect(bob.calls).toHaveLength(1);
  });

  it("shows a file to the person, uploaded with its type before the message", async () => {
    expect(await say("report")).toBe("The report is in the chat.");
    const [row] = await api.test.sql`SELECT response_body FROM activity
      WHERE workspace_id = ${id} AND method = 'notify'`;
    expect(row?.response_body).toMatchObject({
      result: "Here it is.",
      parts: [{ kind: "file", file: { name: "report.md", mimeType: "text/markdown", size: 14 } }],
    });
  });

  it("takes the files that a person sends, and no others", async () => {
    const form = new FormData();
    form.append("files", new Blob(["a,b\n"], { type: "text/csv" }), "table.csv");
    const sent = await fetch(`${url}/workspaces/${id}/chat/uploads`, {
      method: "POST",
      headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}` },
      body: form,
    });
    expect(sent.status).toBe(200);
    const kept = path.join(folder, "agent/workspace/.molecule/chat-uploads");
    expect((await readdir(kept)).join()).toContain("-table.csv");
  });

  it("ends in order when it is told to", async () => {
    const exit = once(program, "exit");
    program.kill("SIGTERM");
    expect((await exit)[0]).toBe(0);
  });
});
