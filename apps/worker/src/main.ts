import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { type Database, openDatabase } from "@molecule/db/database";
import { serializeError } from "@molecule/db/error-record";
import { findMachine, rememberMachine } from "@molecule/db/lifecycle/machine-memory";
import { markRemoved } from "@molecule/db/lifecycle/machines";
import { LoopPulse } from "@molecule/db/processes/pulse";
import { loadCipher, loadTokenKey } from "@molecule/db/secrets/key-ring";
import { renderConfigs } from "@molecule/templates/render-config";
import { pino } from "pino";
import { createControlPlaneBackend } from "./adapters/control-plane/control-plane-backend.ts";
import { createDockerBackend, type DockerBackend } from "./adapters/docker/docker-backend.ts";
import { createEc2Backend, type Ec2Backend } from "./adapters/ec2/ec2-backend.ts";
import { machineClock } from "./adapters/ec2/machine-clock.ts";
import { createProcessBackend } from "./adapters/process/process-backend.ts";
import { announce } from "./announce.ts";
import { readEnv, type WorkerEnv } from "./env.ts";
import { FleetJobs } from "./fleet/fleet-jobs.ts";
import { ImagePruner } from "./fleet/image-pruner.ts";
import { ImageWatcher } from "./fleet/image-watcher.ts";
import { createOperations } from "./http/operations.ts";
import { startPrivateServer } from "./http/private-server.ts";
import { createTerminalSockets } from "./http/terminal-sockets.ts";
import { startImportPacer } from "./orgs/import-pacer.ts";
import { createAgentPackages } from "./provisioning/agent-packages.ts";
import { createBootDesk } from "./provisioning/boot-desk.ts";
import type { ComputeBackend } from "./provisioning/compute-backend.ts";
import type { MachineMemory } from "./provisioning/machine-memory.ts";
import { answersHttp } from "./restart/answers-http.ts";
import { Prober } from "./restart/prober.ts";
import { Reconciler } from "./restart/reconciler.ts";
import { restartSettings } from "./restart/settings.ts";
import { stopAllInstances } from "./restart/stop-all.ts";
import { Sweeper } from "./restart/sweeper.ts";
import { parseFailpoints } from "./runtime/failpoint.ts";
import type { Log } from "./runtime/log.ts";
import { untilTold } from "./runtime/process-end.ts";
import { Scope } from "./runtime/scope.ts";
import { Scheduler } from "./schedules/scheduler.ts";
import { startBusySweep } from "./sweep/busy-sweep.ts";
import { TerminalSessions } from "./terminal/terminal-sessions.ts";
import { awsOptionsOf } from "./tunnels/eice/aws-services.ts";
import { startMachineTunnels } from "./tunnels/machine-tunnels.ts";

/** How often a registry is asked. Source: wire contract §18. */
const IMAGE_WATCH_EVERY_MS = 5 * 60_000;

/** A run begins at most this long after its time. Source: wire contract §13, which allows 30 s. */
const SCHEDULES_EVERY_MS = 5_000;

/** Left-over images go a day later anyway. */
const IMAGE_PRUNE_EVERY_MS = 3_600_000;
/** By then the workspaces of this platform have been started, so it is known what they need. */
const IMAGE_PRUNE_FIRST_MS = 10 * 60_000;

/** What would have to be set for the backends that nobody has set up. */
function notConfigured(env: WorkerEnv) {
  return [
    { name: "ec2", note: env.ec2.kind === "unset" ? env.ec2.note : "" },
    {
      name: "control-plane",
      note: "Not set up: CP_PROVISION_URL names no service that owns machines.",
    },
  ] as const;
}

/** Docker's half of the wiring; null where it was switched off. */
interface Backends {
  readonly all: readonly ComputeBackend[];
  readonly docker: DockerBackend | null;
  /** Ends the connections to machines; absent without EC2. */
  readonly ec2: Ec2Backend | null;
}

/** What backends that make machines elsewhere share. */
interface RemoteParts {
  readonly db: Database;
  readonly tokenKey: Uint8Array;
  readonly pulse: LoopPulse;
  readonly log: Log;
}

/** The backend of the service that owns machines, where one is named. */
function controlPlaneOf(env: WorkerEnv, { db, tokenKey, log }: RemoteParts): ComputeBackend[] {
  const { controlPlane, runtimeBundle, timeScale } = env;
  if (controlPlane === null) return [];
  const { platformUrl } = controlPlane;
  const memory: MachineMemory = {
    find: (workspaceId, attemptNo) => findMachine(db, "control-plane", { workspaceId, attemptNo }),
    remember: (made) => db.transaction((tx) => rememberMachine(tx, "control-plane", made)),
    forget: async (key) => void (await markRemoved(db, key.workspaceId, key.attemptNo)),
  };
  const desk = createBootDesk({ db, tokenKey, platformUrl, runtimeBundle });
  return [createControlPlaneBackend({ ...controlPlane, memory, desk, timeScale, log })];
}

async function createBackends(
  env: WorkerEnv,
  platformId: string,
  remote: RemoteParts,
): Promise<Backends> {
  const agents = createAgentPackages({
    sourceFolder: env.agentsDir,
    installFolder: path.join(env.home, "agents"),
    inherited: env.inheritedByNpm,
  });
  const processes = await createProcessBackend({
    ...env,
    platformId,
    nodePath: env.runtimeNode,
    isRoot: process.getuid?.() === 0,
    userName: userName(),
    agents,
  });
  const ec2 = createEc2(env, platformId, remote);
  const local = [processes, ...(ec2 === null ? [] : [ec2]), ...controlPlaneOf(env, remote)];
  if (env.backend === "process") return { all: local, docker: null, ec2 };
  // The launcher may have copied the bundle alone; its Dockerfile is found from the original.
  const original = path.resolve(import.meta.dirname, "../../runtime/dist/runtime.mjs");
  const docker = createDockerBackend({
    platformId,
    home: env.home,
    version: env.version,
    publicPort: env.platformPort,
    imagePrefix: env.imagePrefix,
    imageTag: env.imageTag,
    registryLogin: env.registryLogin,
    runtimeBundle: existsSync(original) ? original : env.runtimeBundle,
    nodePath: env.runtimeNode,
    dockerHost: env.dockerHost,
    tierOverrides: env.tierOverrides,
    agentPackage: (runtime, progress) => agents.ensure(runtime, progress),
    nowMs: () => Date.now(),
  });
  return { all: [...local, docker], docker, ec2 };
}

/** Null where it is not set up. */
function createEc2(env: WorkerEnv, platformId: string, remote: RemoteParts): Ec2Backend | null {
  if (env.ec2.kind === "unset") return null;
  const { settings } = env.ec2;
  const { osUser } = settings;
  const aws = awsOptionsOf(settings);
  const holder = randomUUID();
  const tunnels = startMachineTunnels({ ...remote, ...env, holder, aws, osUser });
  return createEc2Backend({
    platformId,
    settings,
    shell: () => tunnels.shell,
    clock: machineClock(),
    runtimeBundle: env.runtimeBundle,
  });
}

/** A uid without an entry in the machine's list of users has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

async function readKey(file: string): Promise<string> {
  return (await readFile(file, "utf8")).trim();
}

/** How this process is ending; `isOrdered` once somebody asked it to by a signal. */
interface Ending {
  isOrdered: boolean;
}

/** What backends hold beside what they made ends with this process. */
function addEnds(scope: Scope, { docker, ec2 }: Backends): void {
  for (const held of [docker, ec2]) {
    if (held !== null) scope.add(held.kind, () => held.close());
  }
}

async function start(
  env: WorkerEnv,
  log: Log,
  scope: Scope,
  ending: Ending,
): Promise<Record<string, unknown>> {
  const platformId = env.platformId ?? (await readKey(path.join(env.home, "platform-id")));
  const keys = { key: env.secretsKey, keyFile: path.join(env.home, "secrets.key") };
  const cipher = loadCipher(keys);
  const tokenKey = loadTokenKey(keys, path.join(env.home, "token.key"));
  const settings = restartSettings({ ...env, scale: env.timeScale });
  const db = openDatabase({
    url: env.databaseUrl,
    applicationName: "molecule-worker",
    maxConnections: settings.concurrency + 6,
    onWrongEvent: (problem) => log.error({ problem }, "an event is not as its schema says"),
  });
  scope.add("database", () => db.close());
  const pulse = new LoopPulse({ db, kind: "worker", log });
  scope.add("ages of loops", () => pulse.stop());
  const backends = await createBackends(env, platformId, { db, tokenKey, pulse, log });
  const { docker } = backends;
  addEnds(scope, backends);
  const backendOf = (kind: string) => backends.all.find((one) => one.kind === kind) ?? null;

  const id = randomUUID();
  const idleMs = env.terminalIdleMs;
  const nowMs = () => Date.now();
  const terminals = new TerminalSessions({ db, backendOf, workerId: id, idleMs, nowMs, log });
  const server = await startPrivateServer({
    operations: createOperations({ db, cipher, backendOf, terminals }),
    sockets: createTerminalSockets(terminals),
    key: await readKey(path.join(env.home, "worker.key")),
    nowSeconds: () => Math.floor(Date.now() / 1_000),
    log,
  });
  scope.add("private server", () => server.stop());
  const announcement = await announce({
    db,
    id,
    url: server.url,
    backends: backends.all,
    notConfigured: notConfigured(env).filter(({ name }) => backendOf(name) === null),
    wanted: env.backend,
    orgId: env.controlPlane?.orgId ?? null,
    bridgeGateway: async () => (await backends.docker?.bridgeGateway().catch(() => null)) ?? null,
    pulse,
    log,
  });
  scope.add("announcement", () => announcement.stop());

  if (env.stopsAgents) {
    // Only when the platform is stopped in order: agents outlive a killed launcher and a failed start
    // and are adopted, and containers outlive every end.
    const local = backends.all.filter((one) => one.kind === "process");
    scope.add("agents", async () => {
      if (ending.isOrdered) await stopAllInstances({ db, backends: local, log });
    });
  }
  const reconciler = new Reconciler({
    db,
    owner: id,
    backendOf,
    sources: { cipher, tokenKey, render: renderConfigs },
    settings,
    failpoint: parseFailpoints(env.failpoints),
    pulse,
    log,
  });
  scope.add("reconciler", () => reconciler.stop());
  scope.add("work hints", await reconciler.listen());
  const watched = { db, backends: backends.all, settings, pulse, log };
  const prober = new Prober({ ...watched, answersHttp });
  scope.add("prober", () => prober.stop());
  scope.add("probe hints", await prober.listen());
  const sweeper = new Sweeper(watched);
  scope.add("sweeper", () => sweeper.stop());
  const images = docker?.images ?? null;
  const fleet = new FleetJobs({ db, owner: id, images, settings, pulse, log });
  scope.add("fleet", () => fleet.stop());
  scope.add("phantom busy", startBusySweep({ db, timeScale: env.timeScale, pulse, log }));
  startTimed(scope, env, { db, pulse, log });
  if (docker !== null && env.imageKeepMs > 0) {
    const pruner = new ImagePruner({
      db,
      images: docker.prunable,
      graceMs: env.imageKeepMs,
      everyMs: IMAGE_PRUNE_EVERY_MS,
      firstAfterMs: IMAGE_PRUNE_FIRST_MS,
      pulse,
      log,
    });
    scope.add("image pruner", () => pruner.stop());
  }
  if (docker !== null && env.refreshesImages) {
    const watcher = new ImageWatcher({
      db,
      owner: id,
      images: docker.images,
      settle: settings.lifecycle.settle,
      leaseMs: settings.leaseMs,
      everyMs: IMAGE_WATCH_EVERY_MS,
      pulse,
      log,
    });
    scope.add("image watcher", () => watcher.stop());
  }
  const { defaultBackend, backendNote } = announcement.info;
  return { ready: true, backend: defaultBackend, note: backendNote };
}

/** What comes at its time: runs of schedules, and the turns of imported teams. */
function startTimed(
  scope: Scope,
  env: WorkerEnv,
  parts: { readonly db: Database; readonly pulse: LoopPulse; readonly log: Log },
): void {
  const everyMs = Math.max(SCHEDULES_EVERY_MS * env.timeScale, 100);
  const scheduler = new Scheduler({ ...parts, everyMs });
  scope.add("scheduler", () => scheduler.stop());
  scope.add("team imports", startImportPacer(parts));
}

async function main(): Promise<void> {
  const env = readEnv();
  const log: Log = pino({
    level: env.logLevel,
    base: { part: "worker", pid: process.pid },
    serializers: { err: serializeError },
  });
  const scope = new Scope(log);
  const ending: Ending = { isOrdered: false };
  const told = untilTold(env.exitsWithStdin).then((why) => {
    ending.isOrdered = why !== "stdin";
    return why;
  });
  try {
    const line = await Promise.race([start(env, log, scope, ending), told]);
    if (typeof line === "object") {
      process.stdout.write(`${JSON.stringify(line)}\n`);
      await told;
    }
    await scope.stop();
    process.exitCode = 0;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.error({ err: error }, `The worker cannot start: ${why}`);
    await scope.stop();
    process.exitCode = 1;
  }
  // Handles of detached agents and idle sockets must not keep an ended worker alive.
  process.exit();
}

await main();
