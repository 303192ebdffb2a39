import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { waitUntil } from "@molecule/testing/wait-until";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { createAgentPackages } from "./agent-packages.ts";

const NEVER = new AbortController().signal;
const quietly = { onProgress: () => undefined, signal: NEVER };

async function tinyPackage(): Promise<Buffer> {
  const archive = pack();
  const manifest = {
    name: "tiny-agent",
    version: "1.0.0",
    scripts: { install: "node -e \"require('fs').writeFileSync('ran','')\"" },
  };
  archive.entry({ name: "package/package.json" }, JSON.stringify(manifest));
  archive.finalize();
  return await buffer(archive.pipe(createGzip()));
}

/** A registry on loopback that hands its one package out when it is told to. */
async function setUp() {
  const folder = await mkdtemp(path.join(tmpdir(), "molecule-agents-"));
  const tarball = await tinyPackage();
  const registry = { isOpen: false, status: 200, requests: 0 };
  const server = createServer((_req, res) => {
    registry.requests += 1;
    const answer = async () => {
      await waitUntil("the registry may answer", () => registry.isOpen, { timeoutMs: 30_000 });
      res.writeHead(registry.status).end(registry.status === 200 ? tarball : "");
    };
    answer().catch(() => res.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const resolved = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tiny-agent-1.0.0.tgz`;
  const source = path.join(folder, "source", "claude-code");
  await mkdir(source, { recursive: true });
  const root = { name: "agent", version: "1.0.0", dependencies: { "tiny-agent": "1.0.0" } };
  await writeFile(path.join(source, "package.json"), JSON.stringify(root));
  const tiny = { version: "1.0.0", resolved, hasInstallScript: true };
  const packages = { "": root, "node_modules/tiny-agent": tiny };
  const lock = { ...root, lockfileVersion: 3, requires: true, packages };
  await writeFile(path.join(source, "package-lock.json"), JSON.stringify(lock));
  const installFolder = path.join(folder, "agents");
  const agents = createAgentPackages({
    sourceFolder: path.join(folder, "source"),
    installFolder,
    inherited: { PATH: process.env.PATH ?? "", HOME: folder, npm_config_fetch_retries: "0" },
  });
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  };
  return { agents, registry, installFolder, [Symbol.asyncDispose]: close };
}

describe("an agent's package", () => {
  it("is installed once for everybody who waits, without running its scripts, and goes on when the first gives up", async () => {
    await using bed = await setUp();
    const { agents, registry } = bed;
    const first = new AbortController();
    const lines: string[] = [];
    const given = agents.ensure("claude-code", { ...quietly, signal: first.signal });
    const kept = agents.ensure("claude-code", { ...quietly, onProgress: (at) => lines.push(at) });
    await waitUntil("npm asks the registry", () => registry.requests > 0, { timeoutMs: 20_000 });
    first.abort();
    await expect(given).rejects.toThrow();
    registry.isOpen = true;
    const installed = await kept;
    expect(registry.requests).toBe(1);
    const files = await readdir(path.join(installed?.folder ?? "", "node_modules", "tiny-agent"));
    expect(files).toEqual(["package.json"]);
    expect(lines.at(-1)).toBe("The agent claude-code is installed");
    expect(await agents.find("claude-code")).toMatchObject({ folder: installed?.folder });
  });

  it("ends its installation when nobody waits any more, and the next call begins anew", async () => {
    await using bed = await setUp();
    const { agents, registry, installFolder } = bed;
    const only = new AbortController();
    const given = agents.ensure("claude-code", { ...quietly, signal: only.signal });
    await waitUntil("npm asks the registry", () => registry.requests > 0, { timeoutMs: 20_000 });
    only.abort();
    await expect(given).rejects.toThrow();
    await waitUntil("nothing half-made is left", async () => {
      const names = await readdir(path.join(installFolder, "claude-code"));
      return names.length === 0;
    });
    registry.isOpen = true;
    expect(await agents.ensure("claude-code", quietly)).not.toBeNull();
  });

  it("says what to do when the registry does not have it, and tries again when asked again", async () => {
    await using bed = await setUp();
    const { agents, registry } = bed;
    registry.isOpen = true;
    registry.status = 404;
    await expect(agents.ensure("claude-code", quietly)).rejects.toMatchObject({
      failure: { code: "agent_not_installed", next: expect.stringMatching(/npm.*registry.*retry/) },
    });
    registry.status = 200;
    expect(await agents.ensure("claude-code", quietly)).not.toBeNull();
  });

  it("sweeps what a killed worker left half-made", async () => {
    await using bed = await setUp();
    const folder = path.join(bed.installFolder, "claude-code");
    // No process has this number: the kernel's largest is far below.
    await mkdir(path.join(folder, "0123.half-99999999-abcd"), { recursive: true });
    bed.registry.isOpen = true;
    const installed = await bed.agents.ensure("claude-code", quietly);
    expect(await readdir(folder)).toEqual([path.basename(installed?.folder ?? "")]);
    const manifest = await readFile(path.join(installed?.folder ?? "", "package.json"), "utf8");
    expect(manifest).toContain("tiny-agent");
  });
});
