import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { FakePlatform } from "@molecule/testing/fake-platform";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

const run = promisify(execFile);
const WORKSPACE = "11111111-1111-4111-8111-111111111111";

describe("molecule-mcp, built, over stdio", () => {
  let folder: string;
  let program: string;
  let platform: FakePlatform;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "molecule-mcp-"));
    program = path.join(folder, "molecule-mcp.mjs");
    await run(process.execPath, [path.resolve(import.meta.dirname, "../build.mjs"), program]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    platform = await FakePlatform.start();
  });
  afterEach(() => platform.stop());

  const envOf = (more: Record<string, string> = {}) => ({
    WORKSPACE_ID: WORKSPACE,
    PLATFORM_URL: platform.url,
    CONFIGS_DIR: folder,
    MOLECULE_WORKSPACE_TOKEN: platform.token,
    ...more,
  });
  const connect = async (env: Record<string, string>) => {
    const client = new Client({ name: "test", version: "1" });
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: [program], env }),
    );
    return client;
  };
  const textOf = async (client: Client, name: string, input: Record<string, unknown>) => {
    const answer = await client.callTool({ name, arguments: input });
    const content = answer.content as { text: string }[];
    return { text: content[0]?.text ?? "", isError: answer.isError === true };
  };

  it("offers the platform's tools and answers with what the platform says", async () => {
    platform.peers = [{ id: "peer-2", name: "Bob", role: "Singer", status: "online" }];
    const client = await connect(envOf());
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      "delegate_task",
      "list_peers",
      "send_message_to_user",
    ]);
    expect((await textOf(client, "list_peers", {})).text).toContain("Bob: Singer");
    expect(await textOf(client, "delegate_task", { peer: "bob", task: "sing" })).toEqual({
      text: "done: sing",
      isError: false,
    });
    await textOf(client, "send_message_to_user", { message: "hello" });
    expect(platform.notices).toEqual([{ message: "hello" }]);
    expect(await textOf(client, "delegate_task", { peer: "Carl", task: "x" })).toMatchObject({
      isError: true,
    });
    await client.close();
    expect(platform.problems).toEqual([]);
  });

  it("registers as an agent that polls, and beats", async () => {
    const client = await connect(
      envOf({ MOLECULE_AGENT_NAME: "Laptop", MOLECULE_AGENT_SKILLS: "code, review" }),
    );
    await waitUntil("the first beat", () => platform.beats.length > 0);
    expect(platform.registrations).toMatchObject([
      { id: WORKSPACE, url: "", delivery_mode: "poll", agent_card: { name: "Laptop" } },
    ]);
    await client.close();
  });

  it("takes its token from the file, and leaves presence to others when told so", async () => {
    await writeFile(path.join(folder, ".auth_token"), `${platform.token}\n`);
    const client = await connect(
      envOf({ MOLECULE_WORKSPACE_TOKEN: "", MOLECULE_MCP_DISABLE_HEARTBEAT: "1" }),
    );
    expect((await textOf(client, "list_peers", {})).isError).toBe(false);
    await client.close();
    expect(platform.registrations).toEqual([]);
  });

  it("ends with code 3 when the platform does not accept its token", async () => {
    const child = spawn(process.execPath, [program], {
      env: envOf({ MOLECULE_WORKSPACE_TOKEN: "wst_wrong" }),
      stdio: ["pipe", "ignore", "ignore"],
    });
    expect((await once(child, "exit"))[0]).toBe(3);
  });
});
