import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { InstanceSpec } from "../../provisioning/compute-backend.ts";
import { createDockerBackend, type DockerBackend } from "./docker-backend.ts";
import { createEngine, type Engine } from "./engine.ts";
import { LABEL_PLATFORM } from "./names.ts";
import { readAll, splitOutput } from "./streams.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../../..");
const RUNTIME = path.join(ROOT, "apps/runtime");
const MAX_OUTPUT_BYTES = 1_000_000;

/** A backend on the real engine under a platform id of its own, for tests. */
export interface DockerTestBed {
  readonly engine: Engine;
  readonly backend: DockerBackend;
  readonly platformId: string;
  /** The port that containers may reach on the gateway. Nothing listens there by itself. */
  readonly platformPort: number;
  specOf(parts?: Partial<InstanceSpec>): InstanceSpec;
  /** Runs a command in the container as its own user. */
  run(
    containerId: string,
    command: readonly string[],
  ): Promise<{ readonly code: number; readonly output: string }>;
  /** Containers, volumes, network, firewall and folder of this platform are gone. */
  close(): Promise<void>;
}

/** Whether an engine answers at the address that `DOCKER_HOST` gives, or at the usual one. */
export async function isEngineRunning(dockerHost: string | undefined): Promise<boolean> {
  try {
    const engine = createEngine({ dockerHost });
    await engine.call("ping", (docker) => docker.ping(), { timeoutMs: 2_000 });
    return true;
  } catch {
    return false;
  }
}

/** A bed whose image is built when it is first asked to prepare. */
export async function openDockerTestBed(dockerHost: string | undefined): Promise<DockerTestBed> {
  const platformId = randomUUID();
  const home = await mkdtemp(path.join(tmpdir(), "molecule-docker-test-"));
  const engine = createEngine({ dockerHost });
  const platformPort = await freePort();
  const { version } = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8")) as {
    version: string;
  };
  const backend = createDockerBackend({
    platformId,
    home,
    version,
    publicPort: platformPort,
    runtimeBundle: await runtimeBundle(),
    nodePath: process.execPath,
    dockerHost,
    agentPackage: async () => null,
    nowMs: Date.now,
  });
  return {
    engine,
    backend,
    platformId,
    platformPort,
    specOf: (parts = {}) => ({
      workspaceId: randomUUID(),
      attemptNo: 1,
      name: "Ada",
      runtime: "demo",
      tier: 2,
      createToken: "create",
      env: { MODEL: "demo" },
      files: [
        { path: "config.yaml", content: Buffer.from("name: Ada\n"), mode: 0o644 },
        { path: ".auth_token", content: Buffer.from("wst_test"), mode: 0o600 },
      ],
      removedFiles: [],
      ...parts,
    }),
    run: (id, command) => runIn(engine, id, command),
    close: () => close(backend, engine, { platformId, home }),
  };
}

async function runtimeBundle(): Promise<string> {
  const bundle = path.join(RUNTIME, "dist/runtime.mjs");
  const isBuilt = await access(bundle).then(
    () => true,
    () => false,
  );
  if (!isBuilt) await promisify(execFile)(process.execPath, ["build.mjs"], { cwd: RUNTIME });
  return bundle;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function runIn(engine: Engine, id: string, command: readonly string[]) {
  const options = { timeoutMs: 30_000 };
  return engine.call(
    "run a probe",
    async (docker) => {
      const exec = await docker
        .getContainer(id)
        .exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
      const stream = await exec.start({ hijack: true, stdin: false });
      const { merged } = splitOutput(await readAll(stream, MAX_OUTPUT_BYTES));
      const { ExitCode } = await exec.inspect();
      return { code: ExitCode ?? -1, output: merged.toString("utf8").trim() };
    },
    options,
  );
}

async function close(
  backend: DockerBackend,
  engine: Engine,
  { platformId, home }: { readonly platformId: string; readonly home: string },
): Promise<void> {
  const { docker } = engine;
  const filters = { label: [`${LABEL_PLATFORM}=${platformId}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true });
  }
  const { Volumes } = await docker.listVolumes({ filters });
  for (const { Name } of Volumes ?? []) await docker.getVolume(Name).remove();
  await backend.close();
  await rm(home, { recursive: true, force: true });
}
