import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDockerBackend, type DockerBackend } from "./docker-backend.ts";
import { createEngine } from "./engine.ts";
import { EngineError } from "./engine-error.ts";
import { watchEngine } from "./engine-watch.ts";

const never = new AbortController().signal;
const key = { workspaceId: randomUUID(), attemptNo: 1 };
const spec = {
  ...key,
  name: "Ada",
  runtime: "demo",
  tier: 2,
  createToken: "t",
  env: {},
  files: [],
  removedFiles: [],
};

let folder: string;
let socket: string;
let server: Server | null;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "molecule-engine-"));
  socket = path.join(folder, "engine.sock");
  server = null;
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function listen(handler: RequestListener): Promise<void> {
  const started = createServer(handler);
  server = started;
  await new Promise<void>((resolve) => started.listen(socket, resolve));
}

function backendAt(dockerHost: string): DockerBackend {
  return createDockerBackend({
    platformId: randomUUID(),
    home: folder,
    version: "0.0.0",
    publicPort: 8080,
    runtimeBundle: path.join(folder, "dist/runtime.mjs"),
    nodePath: process.execPath,
    dockerHost,
    agentPackage: async () => null,
    nowMs: () => 0,
  });
}

describe("where no engine answers", () => {
  const unavailable = { isRetryable: true, failure: { code: "engine_unavailable" } };

  it("the backend says so and does not throw", async () => {
    expect(await backendAt(`unix://${socket}`).availability()).toEqual({
      isAvailable: false,
      note: "The Docker engine does not answer.",
    });
  });

  it("every operation fails as one to try again, and says what to do", async () => {
    const backend = backendAt(`unix://${socket}`);
    const { files } = backend;
    const at = { root: "/workspace", path: "", depth: 1 } as const;
    await mkdir(path.join(folder, "dist"));
    await mkdir(path.join(folder, "image"));
    await writeFile(path.join(folder, "dist/runtime.mjs"), "runtime");
    await writeFile(path.join(folder, "image/Dockerfile"), "FROM base");
    const operations = [
      () => backend.prepare("demo", () => undefined, never),
      () => backend.create(spec, never),
      () => backend.inspect(key),
      () => backend.remove(key, never),
      () => backend.list(),
      () => backend.readConfigs(key.workspaceId),
      () => backend.removeVolumes(key.workspaceId),
      () => backend.logs(key.workspaceId, null, 5),
      () => backend.bridgeGateway(),
      () => files.list(key.workspaceId, at),
      () => files.read(key.workspaceId, "/workspace", "a"),
      () => files.write(key.workspaceId, "/workspace", { path: "a", content: new Uint8Array() }),
      () => files.remove(key.workspaceId, "/workspace", "a"),
    ];
    for (const operation of operations) {
      await expect(operation()).rejects.toMatchObject(unavailable);
    }
  });

  it.each(["ssh://somewhere", "nonsense", "unix://relative"])(
    "the address %s is named as the reason, and not tried again",
    async (address) => {
      const backend = backendAt(address);
      expect((await backend.availability()).note).toContain("DOCKER_HOST");
      await expect(backend.list()).rejects.toMatchObject({
        isRetryable: false,
        failure: { code: "engine_unavailable" },
      });
    },
  );
});

describe("where an engine misbehaves", () => {
  it("one that never answers is given up after two seconds", async () => {
    await listen(() => undefined);
    const startedAt = performance.now();
    const answer = await backendAt(`unix://${socket}`).availability();
    expect(answer).toEqual({
      isAvailable: false,
      note: "The Docker engine did not answer in time.",
    });
    expect(performance.now() - startedAt).toBeGreaterThan(1_500);
  });

  it("one that stops in the middle of an answer is given up at the deadline", async () => {
    await listen((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write("[");
    });
    const engine = createEngine({ dockerHost: `unix://${socket}`, callTimeoutMs: 100 });
    const call = engine.call("list", (docker, abortSignal) =>
      docker.listContainers({ abortSignal }),
    );
    await expect(call).rejects.toMatchObject({ kind: "timeout" });
  });

  it("one that hangs up in the middle is unreachable", async () => {
    await listen((request) => request.socket.destroy());
    const engine = createEngine({ dockerHost: `unix://${socket}` });
    const call = engine.call("list", (docker) => docker.listContainers());
    await expect(call).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("one that stops does not answer, although it would on the connections it has", async () => {
    await listen((_request, response) => response.end("[]"));
    const backend = backendAt(`unix://${socket}`);
    expect(await backend.list()).toEqual([]);
    await rm(socket);
    await expect(backend.list()).rejects.toMatchObject({ failure: { code: "engine_unavailable" } });
  });

  it("one that ended is noticed, also when it runs again", async () => {
    await listen((_request, response) => response.writeHead(200).flushHeaders());
    const watch = watchEngine(createEngine({ dockerHost: `unix://${socket}` }));
    for (const count of [1, 2]) {
      await watch.begin();
      await watch.begin();
      server?.closeAllConnections();
      await waitUntil("its end is noticed", () => watch.ends() === count);
    }
    await watch.begin();
    watch.stop();
    await watch.begin();
    expect(watch.ends()).toBe(2);
  });

  it("an empty list counts only when the engine gave it: an error is never an empty list", async () => {
    await listen((_request, response) => response.writeHead(500).end('{"message":"no"}'));
    await expect(backendAt(`unix://${socket}`).list()).rejects.toMatchObject({ isRetryable: true });
  });

  it("the caller's own abort comes back as its reason", async () => {
    await listen(() => undefined);
    const engine = createEngine({ dockerHost: `unix://${socket}` });
    const controller = new AbortController();
    const call = engine.call("list", (docker) => docker.listContainers(), {
      signal: controller.signal,
    });
    const reason = new Error("lease lost");
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(reason).not.toBeInstanceOf(EngineError);
  });
});
