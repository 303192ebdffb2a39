import { execFile } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Far, type McpBed, openMcpBed } from "./mcp-bed.fixture.ts";

const run = promisify(execFile);
const PACKAGE = path.resolve(import.meta.dirname, "..");

/**
 * The published program expects the folders of the repository that it was made in, with its package.json two
 * above; it is put into such folders as it is. Answers its path.
 */
async function unpackInspector(folder: string): Promise<string> {
  const require = createRequire(import.meta.url);
  const build = path.dirname(require.resolve("@modelcontextprotocol/inspector-cli/build/cli.js"));
  await cp(path.dirname(build), path.join(folder, "cli"), { recursive: true });
  await cp(path.join(build, "../package.json"), path.join(folder, "package.json"));
  await symlink(path.resolve(PACKAGE, "../../node_modules"), path.join(folder, "node_modules"));
  return path.join(folder, "cli/build/cli.js");
}

/** The package as npm would publish it, run by programs that are not ours. */
describe("the packed molecule-mcp", () => {
  let bed: McpBed;
  let far: Far;
  let tarball: string;
  let inspector: string;
  beforeAll(async () => {
    bed = await openMcpBed();
    far = await bed.create("Far");
    // A copy, because `dist` belongs to everybody who builds here.
    const copy = path.join(bed.folder, "package");
    await mkdir(path.join(copy, "dist"), { recursive: true });
    await cp(path.join(PACKAGE, "package.json"), path.join(copy, "package.json"));
    await cp(path.join(PACKAGE, "bin"), path.join(copy, "bin"), { recursive: true });
    await cp(bed.program, path.join(copy, "dist/molecule-mcp.mjs"));
    const packed = await run("npm", ["pack", "--ignore-scripts", "--json"], { cwd: copy });
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
    tarball = path.join(copy, filename);
    inspector = await unpackInspector(path.join(bed.folder, "inspector"));
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  /** The MCP Inspector's command line on a server that it starts in an empty folder. */
  const inspect = async (server: readonly string[], ...args: string[]) => {
    const elsewhere = path.join(bed.folder, "elsewhere");
    await mkdir(elsewhere, { recursive: true });
    const env = { ...process.env, ...far.env, PATH: process.env.PATH };
    const pairs = Object.entries(far.env).flatMap(([name, value]) =>
      name === "PATH" ? [] : ["-e", `${name}=${value}`],
    );
    const { stdout } = await run(
      process.execPath,
      [inspector, ...pairs, ...server, "--cli", ...args],
      { cwd: elsewhere, env: { ...env, npm_config_cache: path.join(bed.folder, "npm-cache") } },
    );
    return JSON.parse(stdout) as { tools?: { name: string }[]; content?: { text: string }[] };
  };

  it("lists its tools to the MCP Inspector", async () => {
    const { tools } = await inspect(["node", bed.program], "--method", "tools/list");
    expect(tools?.map(({ name }) => name)).toContain("delegate_task");
  });

  it("runs a tool for the MCP Inspector when npx starts the tarball", async () => {
    const npx = ["npx", "--yes", "--offline", "--package", tarball, "molecule-mcp"];
    const call = ["--method", "tools/call", "--tool-name", "get_workspace_info"];
    const called = await inspect(npx, ...call);
    expect(JSON.parse(called.content?.[0]?.text ?? "{}")).toMatchObject({ id: far.id });
  });
});
