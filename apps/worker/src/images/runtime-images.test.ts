import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BackendError } from "../provisioning/compute-backend.ts";
import { createFakeImageEngine, type FakeImageEngine } from "./fake-image-engine.ts";
import { createRuntimeImages, type RuntimeImages } from "./runtime-images.ts";

const BASE = "node:22-bookworm-slim";
let folder: string;
let engine: FakeImageEngine;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "molecule-images-"));
  await writeFile(path.join(folder, "runtime.mjs"), "one");
  await writeFile(path.join(folder, "Dockerfile"), "FROM x");
  engine = createFakeImageEngine();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function images(parts: Partial<Parameters<typeof createRuntimeImages>[0]> = {}): RuntimeImages {
  return createRuntimeImages({
    engine,
    imagePrefix: "molecule",
    version: "1.2.3",
    platformId: "platform",
    runtimeBundle: path.join(folder, "runtime.mjs"),
    dockerfile: path.join(folder, "Dockerfile"),
    nodePath: process.execPath,
    workFolder: path.join(folder, "work"),
    nowMs: () => 0,
    agentPackage: async () => null,
    ...parts,
  });
}
const progress = (onProgress: (line: string) => void = () => undefined) => ({
  onProgress,
  signal: new AbortController().signal,
});

describe("the image of a runtime", () => {
  it("is built on the official base when the engine has it, and named by its content", async () => {
    engine.local.add(BASE);
    const reference = await images().ensure("demo", progress());
    expect(reference).toMatch(/^molecule\/runtime-demo:1\.2\.3-[0-9a-f]{12}$/);
    expect(engine.builds.map(({ buildArgs }) => buildArgs)).toEqual([{ BASE }]);
    // I20: whoever removes left-over images knows its own by this.
    expect(engine.builds[0]?.labels).toMatchObject({ "molecule.image.platform": "platform" });
    expect(engine.pulls).toEqual([]);
  });

  it("is not built again by another process that finds it", async () => {
    engine.local.add(BASE);
    const reference = await images().ensure("demo", progress());
    expect(await images().ensure("demo", progress())).toBe(reference);
    expect(engine.builds).toHaveLength(1);
  });

  it("is another one when the runtime bundle changes", async () => {
    engine.local.add(BASE);
    const before = await images().ensure("demo", progress());
    await writeFile(path.join(folder, "runtime.mjs"), "two");
    expect(await images().ensure("demo", progress())).not.toBe(before);
  });

  it("is another one when the agent's package changes", async () => {
    engine.local.add(BASE);
    const withDigest = (digest: string) =>
      images({ agentPackage: async () => ({ folder, digest }) }).ensure("claude-code", progress());
    expect(await withDigest("a")).not.toBe(await withDigest("b"));
  });

  it("is built once for callers that ask at the same time, and each sees the progress", async () => {
    engine.local.add(BASE);
    const seen: string[][] = [[], []];
    const shared = images();
    const both = await Promise.all(
      seen.map((lines) =>
        shared.ensure(
          "demo",
          progress((line) => lines.push(line)),
        ),
      ),
    );
    expect(new Set(both).size).toBe(1);
    expect(engine.builds).toHaveLength(1);
    expect(seen[0]).toContain("Building the demo image");
    expect(seen[1]).toEqual(seen[0]);
  });

  it("goes on for others when one caller gives up", async () => {
    engine.local.add(BASE);
    const shared = images();
    const controller = new AbortController();
    const impatient = shared.ensure("demo", {
      onProgress: () => undefined,
      signal: controller.signal,
    });
    const patient = shared.ensure("demo", progress());
    controller.abort(new Error("lease lost"));
    await expect(impatient).rejects.toThrow("lease lost");
    expect(await patient).toContain("runtime-demo");
  });

  it("is looked for again when the engine lost it", async () => {
    engine.local.add(BASE);
    const shared = images();
    const reference = await shared.ensure("demo", progress());
    engine.local.delete(reference);
    expect(await shared.ensure("demo", progress())).toBe(reference);
    expect(engine.builds).toHaveLength(1);
    shared.forget("demo");
    await shared.ensure("demo", progress());
    expect(engine.builds).toHaveLength(2);
  });

  it("is tried again after a failure", async () => {
    engine.local.add(BASE);
    engine.failNextBuild = true;
    const shared = images();
    await expect(shared.ensure("demo", progress())).rejects.toBeInstanceOf(BackendError);
    expect(await shared.ensure("demo", progress())).toContain("runtime-demo");
  });

  it("is pulled under the operator's own prefix, never built over it", async () => {
    const published = "registry.example/acme/runtime-demo:1.2.3";
    engine.remote.add(published);
    const own = images({ imagePrefix: "registry.example/acme" });
    expect(await own.ensure("demo", progress())).toBe(published);
    expect(engine.pulls).toEqual([published]);
    expect(engine.builds).toEqual([]);
  });

  it("takes the base from a registry when only that has it", async () => {
    engine.remote.add(BASE);
    await images().ensure("demo", progress());
    expect(engine.pulls).toEqual([BASE]);
    expect(engine.builds).toHaveLength(1);
  });

  it("cannot be made from a bundle that is not there, and says so", async () => {
    engine.local.add(BASE);
    await rm(path.join(folder, "runtime.mjs"));
    await expect(images().ensure("demo", progress())).rejects.toMatchObject({
      failure: { code: "image_unavailable" },
    });
  });

  it("can be had where it is present, although no base is", async () => {
    engine.local.add(BASE);
    await images().ensure("demo", progress());
    engine.local.delete(BASE);
    expect(await images().whyNot()).toBeNull();
  });

  it("holds the runtime and the agent's package with its links and modes", async () => {
    engine.local.add(BASE);
    const agent = path.join(folder, "agent");
    await mkdir(path.join(agent, "node_modules/.bin"), { recursive: true });
    await writeFile(path.join(agent, "node_modules/tool.js"), "x", { mode: 0o755 });
    await symlink("../tool.js", path.join(agent, "node_modules/.bin/tool"));
    const own = images({ agentPackage: async () => ({ folder: agent, digest: "d" }) });
    await own.ensure("claude-code", progress());
    const archive = engine.contexts.at(-1) ?? Buffer.alloc(0);
    expect(await namesOf(archive)).toEqual([
      "Dockerfile 644",
      "runtime.mjs 644",
      "agents/ 755",
      "agents/claude-code/ 755",
      "agents/claude-code/node_modules/ 755",
      "agents/claude-code/node_modules/.bin/ 755",
      "agents/claude-code/node_modules/.bin/tool -> ../tool.js",
      "agents/claude-code/node_modules/tool.js 755",
    ]);
  });
});

describe("a published image", () => {
  const OWN = { imagePrefix: "registry.example/acme" };
  const MOVING = "registry.example/acme/runtime-demo:latest";
  const PINNED = "registry.example/acme/runtime-demo:1.2.3";

  it("I6 is pulled once per start when its tag moves, also when it is here", async () => {
    engine.remote.add(MOVING);
    const own = images({ ...OWN, imageTag: "latest" });
    expect(await own.prepare("demo", progress())).toBe(MOVING);
    expect(await own.ensure("demo", progress())).toBe(MOVING);
    expect(engine.pulls).toHaveLength(1);
    await own.prepare("demo", progress());
    expect(engine.pulls).toEqual([MOVING, MOVING]);
    await Promise.all([own.prepare("demo", progress()), own.prepare("demo", progress())]);
    expect(engine.pulls).toHaveLength(3);
  });

  it("I6 is pulled only where it is missing when its tag is pinned", async () => {
    engine.remote.add(PINNED);
    const own = images(OWN);
    await own.prepare("demo", progress());
    await own.prepare("demo", progress());
    expect(await images(OWN).prepare("demo", progress())).toBe(PINNED);
    expect(engine.pulls).toEqual([PINNED]);
  });

  it("I7 is used as it is here when it cannot be pulled, and the start says so", async () => {
    engine.local.add(MOVING);
    const lines: string[] = [];
    const told = progress((line) => lines.push(line));
    const own = images({ ...OWN, imageTag: "latest" });
    expect(await own.prepare("demo", told)).toBe(MOVING);
    expect(lines).toEqual([`${MOVING} could not be pulled; the image that is here is used`]);
    expect(engine.builds).toEqual([]);
    engine.remote.add(MOVING);
    await own.prepare("demo", told);
    expect(engine.pulls).toEqual([MOVING]);
  });

  it("is asked of no registry when no prefix names one", async () => {
    engine.local.add(BASE);
    engine.remote.add("molecule/runtime-demo:1.2.3");
    const local = images({ imagePrefix: undefined, imageTag: "latest" });
    expect(await local.prepare("demo", progress())).toMatch(/^molecule\/runtime-demo:1\.2\.3-/);
    expect(engine.pulls).toEqual([]);
    engine.local.add("molecule/runtime-demo:1.2.3");
    const again = images({ imagePrefix: undefined, imageTag: "latest" });
    expect(await again.prepare("demo", progress())).toBe("molecule/runtime-demo:1.2.3");
  });
});

async function namesOf(archive: Buffer): Promise<string[]> {
  const names: string[] = [];
  const reader = extract();
  reader.on("entry", ({ name, mode, linkname }, body, next) => {
    names.push(linkname ? `${name} -> ${linkname}` : `${name} ${mode.toString(8)}`);
    body.on("end", () => next());
    body.resume();
  });
  await pipeline([archive], reader as unknown as NodeJS.WritableStream);
  return names;
}
