import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { waitUntil } from "@molecule/testing/wait-until";
import { ROOT } from "./baselines.ts";

const run = promisify(execFile);

/** A Docker engine that nobody else uses, so that it can be stopped and killed. */
export interface OwnEngine extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly dockerHost: string;
  /** Runs again, on the same data. Resolves when it answers. */
  start(): Promise<void>;
  /** Ends with the signal. Resolves when its process is gone; its containers may outlive it. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Ids of everything that it has by this label, running or not. */
  containers(label: string): Promise<readonly string[]>;
  /** A file inside a container; null when it is not there. */
  readFile(container: string, file: string): Promise<string | null>;
}

/** Whether this machine can start one. */
export function canStartEngine(): boolean {
  const has = (program: string) =>
    spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
  return process.getuid?.() === 0 && has("dockerd") && has("docker");
}

/** The first choice is the engine's own; nested file systems refuse what it chooses. */
const DRIVERS = [[], ["--storage-driver=vfs"]] as const;
const NODE = "/usr/local/bin/node";
/** Absent where the machine has one for all engines. */
const CONTAINERD_PID = "e/containerd/containerd.pid";

/** Started, with the demo runtime's image. */
export async function startOwnEngine(): Promise<OwnEngine> {
  // Short: the path of a socket has at most 107 characters.
  const folder = await mkdtemp(path.join(os.tmpdir(), "mol-e-"));
  const dockerHost = `unix://${folder}/s.sock`;
  const docker = async (...args: readonly string[]) =>
    (await run("docker", ["--host", dockerHost, ...args], { maxBuffer: 2 ** 24 })).stdout;
  let driver: readonly string[] = DRIVERS[0];
  let daemon: ChildProcess | null = null;
  let lastWords = "";

  const hasEnded = () => daemon === null || daemon.exitCode !== null || daemon.signalCode !== null;
  const tryStart = async (): Promise<boolean> => {
    // Of an engine that was killed: it would refuse to start beside a process of that number, and wait
    // for a containerd that has ended with it.
    for (const file of ["pid", CONTAINERD_PID]) await rm(path.join(folder, file), { force: true });
    daemon = spawn("dockerd", [...argumentsFor(folder), ...driver], {
      // Its own session: Ctrl-C on the tests must not reach it before its containers are removed.
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    daemon.stderr?.on("data", (text) => {
      lastWords = `${lastWords}${text}`.slice(-4000);
    });
    return await waitUntil(
      "the engine answers or has ended",
      async () => (hasEnded() ? "ended" : (await answers(docker)) ? "answers" : null),
      { timeoutMs: 60_000, everyMs: 100 },
    ).then((how) => how === "answers");
  };
  const start = async () => {
    if (!(await tryStart())) throw new Error(`the engine ended at its start: ${lastWords}`);
  };
  const end = async (signal: NodeJS.Signals) => {
    if (daemon === null || hasEnded()) return;
    const ended = once(daemon, "exit");
    const containerd = await readFile(path.join(folder, CONTAINERD_PID), "utf8").catch(() => "");
    daemon.kill(signal);
    await ended;
    await waitUntil("its containerd has ended too", () => hasGone(containerd.trim()), {
      timeoutMs: 30_000,
    });
  };
  const containers = async (label: string) =>
    (await docker("ps", "--all", "--quiet", "--no-trunc", "--filter", `label=${label}`))
      .split("\n")
      .filter((id) => id !== "");
  const dispose = async () => {
    if (hasEnded()) await start();
    // By the engine: what it leaves behind when it is only stopped is the machine's.
    for (const id of await containers("molecule.platform")) await docker("rm", "--force", id);
    await removeNetworks(docker);
    await end("SIGTERM");
    await unmountAllBelow(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };

  if (!(await tryStart())) {
    driver = DRIVERS[1];
    await start();
  }
  try {
    await importImage(docker, folder);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    dockerHost,
    start,
    end,
    containers,
    readFile: (container, file) => {
      const program = `process.stdout.write(require("fs").readFileSync(${JSON.stringify(file)}))`;
      return docker("exec", container, NODE, "-e", program).catch(() => null);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** No process of that number runs; one that nobody has asked for its end yet does not either. */
async function hasGone(pid: string): Promise<boolean> {
  if (pid === "") return true;
  const about = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return about === null || about.slice(about.lastIndexOf(")")).startsWith(") Z");
}

function argumentsFor(folder: string): readonly string[] {
  return [
    ...["--data-root", path.join(folder, "d"), "--exec-root", path.join(folder, "e")],
    ...["--pidfile", path.join(folder, "pid"), "--host", `unix://${folder}/s.sock`],
    // Where the machine has one containerd for all: its containers are not the other engine's.
    ...["--containerd-namespace", "molecule-test"],
    ...["--containerd-plugins-namespace", "molecule-test-plugins"],
    // Nothing of the machine's network is the test's to change. An engine that is told to do without a
    // bridge takes docker0 away, whoever made it; one that finds it leaves it as it is.
    ...[existsSync("/sys/class/net/docker0") ? "--bridge=docker0" : "--bridge=none"],
    ...["--iptables=false", "--ip-forward=false", "--log-level=error"],
  ];
}

async function answers(docker: (...args: readonly string[]) => Promise<string>): Promise<boolean> {
  return await docker("version").then(
    () => true,
    () => false,
  );
}

/**
 * The demo runtime's image under the name that the platform looks for first, of this machine's Node and
 * what Node loads. The image as it is delivered is made and tested elsewhere; it needs packages.
 */
async function importImage(
  docker: (...args: readonly string[]) => Promise<string>,
  folder: string,
): Promise<void> {
  const rootfs = path.join(folder, "rootfs");
  const put = async (from: string, to: string) => {
    const target = path.join(rootfs, to);
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(from, target);
  };
  await put(process.execPath, NODE);
  const { stdout: loaded } = await run("ldd", [process.execPath]);
  for (const [library] of loaded.matchAll(/\/\S+/g)) await put(library, library);
  await put(path.join(ROOT, "apps/runtime/dist/runtime.mjs"), "opt/molecule/runtime.mjs");
  await mkdir(path.join(rootfs, "etc"));
  await writeFile(path.join(rootfs, "etc/passwd"), "agent:x:1000:1000::/home/agent:/bin/false\n");
  for (const own of ["configs", "workspace", "plugins", "home/agent"]) {
    await mkdir(path.join(rootfs, own), { recursive: true });
    await chown(path.join(rootfs, own), 1000, 1000);
  }
  await mkdir(path.join(rootfs, "tmp"));
  const archive = path.join(folder, "image.tar");
  await run("tar", ["--create", "--file", archive, "--directory", rootfs, "."]);
  const about = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8"));
  await docker("import", archive, `molecule/runtime-demo:${about.version}`);
  await rm(archive);
  await rm(rootfs, { recursive: true });
}

/** The platforms' networks, and the rules of those that had to stop without the engine. */
async function removeNetworks(docker: (...args: readonly string[]) => Promise<string>) {
  const listed = await docker(
    "network",
    "ls",
    "--filter",
    "name=molecule-",
    "--format",
    "{{.Name}}",
  );
  for (const network of listed.split("\n").filter((name) => name !== "")) {
    await docker("network", "rm", network);
    const suffix = network.slice("molecule-".length);
    for (const [from, chain] of [
      ["INPUT", `MOLECULE-${suffix}`],
      ["DOCKER-USER", `MOLECULE-OUT-${suffix}`],
    ] as const) {
      const rules = [
        ["-D", from, "-i", `br-mol-${suffix}`, "-j", chain],
        ["-F", chain],
        ["-X", chain],
      ];
      for (const rule of rules) await run("iptables", ["-w", ...rule]).catch(() => undefined);
    }
  }
}

/** What a killed engine left mounted. Lazily: a container that is being ended may still stand in it. */
async function unmountAllBelow(folder: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const below = mounts
    .map((line) => line.split(" ")[1] ?? "")
    .filter((at) => at.startsWith(folder));
  for (const at of below.toReversed()) await run("umount", ["--lazy", at]).catch(() => undefined);
}
