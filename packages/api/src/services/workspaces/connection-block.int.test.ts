import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { ConnectionView } from "@molecule/contracts/procedures";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { realPart } from "@molecule/testing/require-real";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { message, runAt, startTestAgent, type TestAgent } from "../../a2a/test-agent.fixture.ts";
import { createTestApi, TEST_HOST, type TestApi } from "../../api.fixture.ts";
import { connectionOf, TOKEN_PLACEHOLDER } from "./connection-block.ts";

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
const ROOT = path.resolve(import.meta.dirname, "../../../../..");

/** How long the programs rest between two looks; a test does not wait for that. */
const PAUSES = { python: /(?<=time\.sleep\()3(?=\))/, ts: /(?<=setTimeout\(resolve, )3_000(?=\))/ };

/** The place and the names that docs/runtimes.md has in its snippets. */
const DOC_URL = "https://molecule.example";
const DOC_ID = "00000000-0000-4000-8000-000000000000";

/** The code blocks of docs/runtimes.md in one language, in their order. */
async function blocksOf(language: "python" | "ts" | "json" | "sh"): Promise<string[]> {
  const text = await readFile(path.join(ROOT, "docs/runtimes.md"), "utf8");
  const fenced = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\`$`, "gm");
  return [...text.matchAll(fenced)].map(([, code = ""]) => code);
}

interface McpConfiguration {
  readonly mcpServers: {
    readonly molecule: { readonly command: string; readonly env: Readonly<Record<string, string>> };
  };
}

/** An external workspace with what the document says, for this platform. */
interface Far {
  readonly id: string;
  readonly connection: ConnectionView;
  /** A block of the document with this workspace's address, id and token in it. */
  filled(block: string): string;
}

describe("the connection block of an external workspace", () => {
  let api: TestApi;
  let url: string;
  let folder: string;
  let peer: TestAgent;
  const programs: ChildProcess[] = [];
  beforeAll(async () => {
    api = await createTestApi();
    url = await api.listen();
    peer = await startTestAgent();
    folder = await mkdtemp(path.join(tmpdir(), "molecule-snippet-"));
  });
  afterEach(() => {
    for (const program of programs.splice(0)) program.kill("SIGKILL");
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const create = async (): Promise<Far> => {
    const body = { name: "Far", external: true };
    const answer = await api.call("POST", "/workspaces", { body });
    const { id, connection } = (await answer.json()) as { id: string; connection: ConnectionView };
    return {
      id,
      connection,
      // The fixture does not know its port when the platform is made.
      filled: (block) =>
        block
          .replaceAll(`http://${TEST_HOST}`, url)
          .replaceAll(DOC_URL, url)
          .replaceAll(DOC_ID, id)
          .replaceAll(TOKEN_PLACEHOLDER, connection.auth_token),
    };
  };
  const start = (command: string, args: readonly string[]) => {
    const program = spawn(command, args, { stdio: ["ignore", "inherit", "pipe"] });
    programs.push(program);
    const state = { told: "", program };
    program.stderr?.on("data", (chunk) => {
      state.told += String(chunk);
    });
    return state;
  };
  /** Writes a program of the document into a file that can be run. */
  const written = async (far: Far, language: "python" | "ts"): Promise<string> => {
    const [block = ""] = await blocksOf(language);
    const file = path.join(folder, `${far.id}.${language === "ts" ? "mts" : "py"}`);
    const hurried = far.filled(block).replace(PAUSES[language], language === "ts" ? "200" : "0.2");
    expect(hurried).not.toBe(far.filled(block));
    await writeFile(file, hurried);
    if (language === "python") return file;
    const out = path.join(folder, `${far.id}.mjs`);
    // Node 20 takes no types; what is left without them is the program as it runs.
    await run(path.join(ROOT, "node_modules/.bin/esbuild"), [file, `--outfile=${out}`]);
    return out;
  };
  const nodeOf = async (id: string): Promise<WorkspaceNode | undefined> => {
    const answer = await api.call("GET", "/trpc/workspaces.list");
    const { result } = (await answer.json()) as { result: { data: WorkspaceNode[] } };
    return result.data.find((node) => node.id === id);
  };
  const stepsOf = async (id: string) => {
    const connect = (await nodeOf(id))?.connect ?? null;
    return Object.entries(connect ?? {}).flatMap(([step, at]) => (at === null ? [] : [step]));
  };
  const isOnline = async (id: string) => (await nodeOf(id))?.status === "online";
  const notices = async (id: string) => {
    const rows = await api.test.sql`SELECT response_body FROM activity
      WHERE workspace_id = ${id} AND method = 'notify' ORDER BY seq`;
    return rows.map((row) => row.response_body.result);
  };

  it("E5: has the snippets that docs/runtimes.md has", async () => {
    const documented = connectionOf(DOC_URL, DOC_ID, null);
    expect((await blocksOf("python"))[0]).toBe(documented.python_snippet);
    expect((await blocksOf("ts"))[0]).toBe(documented.typescript_snippet);
    expect((await blocksOf("json"))[0]).toBe(documented.universal_mcp_snippet);
    expect((await blocksOf("sh"))[0]).toBe(documented.curl_snippet);
    const { connection, filled } = await create();
    expect(filled(documented.python_snippet)).toBe(filled(connection.python_snippet));
    expect(documented.auth_token).toBe("");
  });

  const programmed = [
    ["Python", "python", "python3", hasPython],
    ["TypeScript", "ts", process.execPath, true],
  ] as const;
  for (const [name, language, command, isThere] of programmed) {
    it.runIf(isThere)(
      `E5: has a ${name} snippet that registers, beats, answers a person and another agent once, and ends when it is removed`,
      async () => {
        const far = await create();
        const near = await api.createWorkspace({ name: "Near" });
        await runAt(api, near, peer.address);
        const called = peer.calls.length;
        expect(await stepsOf(far.id)).toEqual(["tokenAt"]);
        const state = start(command, [await written(far, language)]);
        await waitUntil("the agent is online", () => isOnline(far.id), { timeoutMs: 20_000 });
        await waitUntil("it beats", async () => (await stepsOf(far.id)).length === 3);
        const send = (body: unknown, token: string | undefined) =>
          api.call("POST", `/workspaces/${far.id}/a2a`, {
            body,
            ...(token === undefined ? {} : { token }),
          });
        expect((await send(message("hello"), undefined)).status).toBe(200);
        await waitUntil("the person is answered", async () => (await notices(far.id)).length > 0, {
          timeoutMs: 20_000,
        });
        await waitUntil("that is ticked off", async () => (await stepsOf(far.id)).length === 4);
        expect((await send(message("ping"), await api.tokenOf(near))).status).toBe(200);
        await waitUntil("the other agent is answered", () => peer.calls.length > called, {
          timeoutMs: 20_000,
        });
        expect(peer.calls.at(-1)?.body).toMatchObject({
          params: { message: { parts: [{ text: "You said: ping" }] } },
        });
        expect(await notices(far.id)).toEqual(["You said: hello"]);
        expect(state.told).toBe("");
        const removed = await api.call("DELETE", `/workspaces/${far.id}?confirm=true`);
        expect(removed.status).toBe(200);
        await waitUntil("the program has ended", () => state.program.exitCode !== null);
        expect(state.program.exitCode).toBe(1);
        expect(state.told).toContain("The platform refuses this agent");
      },
    );
  }

  it("E5: has a configuration for MCP clients whose program registers, beats and speaks", async () => {
    const far = await create();
    const program = path.join(folder, "molecule-mcp.mjs");
    await run(process.execPath, [path.join(ROOT, "apps/mcp/build.mjs"), program]);
    const [block = ""] = await blocksOf("json");
    const { molecule } = (JSON.parse(far.filled(block)) as McpConfiguration).mcpServers;
    const { bin } = JSON.parse(await readFile(path.join(ROOT, "apps/mcp/package.json"), "utf8"));
    expect(Object.keys(bin)).toContain(molecule.command);
    const child = spawn(process.execPath, [program], {
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        CONFIGS_DIR: path.join(folder, far.id),
        ...molecule.env,
      },
      stdio: ["pipe", "pipe", "inherit"],
    });
    programs.push(child);
    let told = "";
    child.stdout.on("data", (chunk) => {
      told += String(chunk);
    });
    const ask = async (id: number, method: string, params: object) => {
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
      await waitUntil(`${method} is answered`, () => told.includes(`"id":${id}`));
    };
    const clientInfo = { name: "test", version: "1" };
    await ask(1, "initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo });
    child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    await waitUntil("it beats", async () => (await stepsOf(far.id)).includes("firstBeatAt"));
    const message = { message: "Hello from MCP" };
    await ask(2, "tools/call", { name: "send_message_to_user", arguments: message });
    expect(await stepsOf(far.id)).toHaveLength(4);
    expect(await notices(far.id)).toEqual(["Hello from MCP"]);
  });

  it.runIf(hasCurl)(
    "E5: has curl commands, and so has the rest of the document, that take all four steps",
    async () => {
      const far = await create();
      const script = ["set -e", ...(await blocksOf("sh"))].join("\n");
      const { stdout } = await run("bash", ["-c", far.filled(script)], { cwd: folder });
      const answers = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown);
      expect(answers.slice(0, 4)).toMatchObject([
        { status: "registered", delivery_mode: "poll" },
        { status: "ok" },
        [],
        { status: "sent" },
      ]);
      expect(await stepsOf(far.id)).toHaveLength(4);
      expect((await nodeOf(far.id))?.activeTasks).toBe(0);
      expect(await notices(far.id)).toContain("Hello from curl");
    },
  );

  it.runIf(hasCurl)(
    "has a curl line that registers, and a registration is no heartbeat",
    async () => {
      const far = await create();
      const line = far.filled(far.connection.curl_register_template);
      const { stdout } = await run("sh", ["-c", line]);
      expect(JSON.parse(stdout)).toMatchObject({ status: "registered" });
      expect(await stepsOf(far.id)).toEqual(["tokenAt", "registeredAt"]);
    },
  );
});
