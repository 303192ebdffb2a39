import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { realPart } from "@molecule/testing/require-real";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { message, runAt, startTestAgent, type TestAgent } from "../../a2a/test-agent.fixture.ts";
import { createTestApi, TEST_HOST, type TestApi } from "../../api.fixture.ts";

const hasPython = realPart(
  "Python 3 with its standard library",
  spawnSync("python3", ["-c", "import json, urllib.request"]).status === 0,
  "apt-get install python3",
);
const hasCurl = realPart(
  "curl",
  spawnSync("curl", ["--version"]).status === 0,
  "apt-get install curl",
);
const run = promisify(execFile);

interface Created {
  readonly id: string;
  readonly connection: Record<"auth_token" | "python_snippet" | "curl_register_template", string>;
}

describe("the connection block of an external workspace", () => {
  let api: TestApi;
  let url: string;
  let folder: string;
  let peer: TestAgent;
  let program: ChildProcess | undefined;
  beforeEach(async () => {
    api = await createTestApi();
    url = await api.listen();
    peer = await startTestAgent();
    folder = await mkdtemp(path.join(tmpdir(), "molecule-snippet-"));
  });
  afterEach(async () => {
    program?.kill("SIGKILL");
    program = undefined;
    await api[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const create = async (): Promise<Created> => {
    const body = { name: "Far", external: true };
    const created = (await (await api.call("POST", "/workspaces", { body })).json()) as Created;
    const { connection } = created;
    // The fixture does not know its port when the platform is made.
    const here = (text: string) => text.replaceAll(`http://${TEST_HOST}`, url);
    return {
      id: created.id,
      connection: {
        auth_token: connection.auth_token,
        python_snippet: here(connection.python_snippet),
        curl_register_template: here(connection.curl_register_template),
      },
    };
  };
  const isOnline = async (id: string) => {
    const row = (await (await api.call("GET", `/workspaces/${id}`)).json()) as { status: string };
    return row.status === "online";
  };
  const notices = async (id: string) => {
    const rows = await api.test.sql`SELECT response_body FROM activity
      WHERE workspace_id = ${id} AND method = 'notify' ORDER BY seq`;
    return rows.map((row) => row.response_body.result);
  };

  it.runIf(hasPython)(
    "has a Python snippet that registers, beats, and answers a person and another agent once",
    async () => {
      const far = await create();
      const near = await api.createWorkspace({ name: "Near" });
      await runAt(api, near, peer.address);
      const file = path.join(folder, "agent.py");
      await writeFile(file, far.connection.python_snippet);
      program = spawn("python3", ["-u", file], { stdio: ["ignore", "inherit", "inherit"] });
      await waitUntil("the agent is online", () => isOnline(far.id));
      const send = (body: unknown, token: string | undefined) =>
        api.call("POST", `/workspaces/${far.id}/a2a`, {
          body,
          ...(token === undefined ? {} : { token }),
        });
      expect((await send(message("hello"), undefined)).status).toBe(200);
      await waitUntil("the person is answered", async () => (await notices(far.id)).length > 0);
      expect((await send(message("ping"), await api.tokenOf(near))).status).toBe(200);
      await waitUntil("the other agent is answered", () => peer.calls.length > 0);
      expect(peer.calls[0]?.body).toMatchObject({
        params: { message: { parts: [{ text: "You said: ping" }] } },
      });
      expect(await notices(far.id)).toEqual(["You said: hello"]);
    },
  );

  it.runIf(hasPython)("has a Python snippet that ends when its workspace is removed", async () => {
    const far = await create();
    const file = path.join(folder, "agent.py");
    await writeFile(file, far.connection.python_snippet);
    const started = spawn("python3", ["-u", file], { stdio: ["ignore", "ignore", "pipe"] });
    program = started;
    let told = "";
    started.stderr.on("data", (chunk) => {
      told += String(chunk);
    });
    await waitUntil("the agent is online", () => isOnline(far.id));
    const removed = await api.call("DELETE", `/workspaces/${far.id}?confirm=true`);
    expect(removed.status).toBe(200);
    await waitUntil("the program has ended", () => started.exitCode !== null);
    expect(started.exitCode).toBe(1);
    expect(told).toContain("The platform refuses this agent");
  });

  it.runIf(hasCurl)("has a curl line that registers", async () => {
    const far = await create();
    const { stdout } = await run("sh", ["-c", far.connection.curl_register_template]);
    expect(JSON.parse(stdout)).toMatchObject({ status: "registered" });
  });
});
