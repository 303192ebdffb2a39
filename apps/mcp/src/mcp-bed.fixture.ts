import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { createTestApi, type TestApi } from "../../../packages/api/src/api.fixture.ts";

const run = promisify(execFile);

/** An external workspace on the bed's platform. */
export interface Far {
  readonly id: string;
  readonly token: string;
  /** Of this workspace alone. */
  readonly configsDir: string;
  /** What `molecule-mcp` is started with. */
  readonly env: Readonly<Record<string, string>>;
}

/** A real platform over HTTP and the built program beside it. */
export interface McpBed extends AsyncDisposable {
  readonly api: TestApi;
  readonly url: string;
  readonly folder: string;
  /** The bundle. */
  readonly program: string;
  create(name: string): Promise<Far>;
  /** The official SDK's client on a new process; closed at the end. */
  connect(env: Readonly<Record<string, string>>): Promise<ToolClient>;
}

/** An MCP client in short. */
export interface ToolClient {
  readonly client: Client;
  call(name: string, input?: Record<string, unknown>): Promise<{ text: string; isError: boolean }>;
  /** What the program told people so far. */
  told(): string;
}

/** Builds the program and starts a platform; dispose it. */
export async function openMcpBed(): Promise<McpBed> {
  const folder = await mkdtemp(path.join(tmpdir(), "molecule-mcp-"));
  const program = path.join(folder, "molecule-mcp.mjs");
  await run(process.execPath, [path.resolve(import.meta.dirname, "../build.mjs"), program]);
  const api = await createTestApi({ platform: { allowCidrs: ["127.0.0.0/8"] } });
  const url = await api.listen();
  const clients: Client[] = [];
  return {
    api,
    url,
    folder,
    program,
    create: async (name) => {
      const body = { name, external: true };
      const answer = await api.call("POST", "/workspaces", { body });
      const { id, connection } = (await answer.json()) as {
        id: string;
        connection: { auth_token: string };
      };
      const token = connection.auth_token;
      const configsDir = path.join(folder, id);
      const env = {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        WORKSPACE_ID: id,
        PLATFORM_URL: url,
        CONFIGS_DIR: configsDir,
        MOLECULE_WORKSPACE_TOKEN: token,
      };
      return { id, token, configsDir, env };
    },
    connect: async (env) => {
      const client = new Client({ name: "test", version: "1" });
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [program],
        env: { ...env },
        stderr: "pipe",
      });
      let told = "";
      transport.stderr?.on("data", (chunk) => {
        told += String(chunk);
      });
      await client.connect(transport);
      clients.push(client);
      return {
        client,
        told: () => told,
        call: async (name, input = {}) => {
          const answer = await client.callTool({ name, arguments: input });
          const content = answer.content as { text: string }[];
          return { text: content[0]?.text ?? "", isError: answer.isError === true };
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client.close();
      await api[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
