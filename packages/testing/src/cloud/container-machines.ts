import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { grantLine } from "./machine-grants.ts";
import type { MachineHost, MachineStart } from "./machine-host.ts";
import {
  IMAGE_FILES,
  IMAGE_FOLDERS,
  IMAGE_LINKS,
  imageDigest,
  MACHINE_PATH,
} from "./machine-image.ts";

const call = promisify(execFile);
const STOP_SECONDS = 3;
/** What a machine borrows of the host; the image itself holds a few small files. */
const BORROWED = [
  "/usr",
  "/etc/ssl",
  "/etc/alternatives",
  "/etc/ca-certificates",
  "/etc/ld.so.cache",
];

/** Whether containers can be made here that have the host's sshd and Node. */
export async function canMakeContainers(): Promise<boolean> {
  try {
    await docker(["version", "--format", "{{.Server.Version}}"]);
    await call("test", ["-x", "/usr/sbin/sshd"]);
    return true;
  } catch {
    return false;
  }
}

/**
 * One container for each machine, with an address of its own on a network of theirs, its own sshd, its
 * own host key and its own disk. Programs are the host's, mounted read-only, so nothing is downloaded and
 * an image is made in a moment. A volume is a folder that appears below `/dev/disk/by-id`, in place of
 * the block device that a real machine would see.
 */
export async function containerMachines(): Promise<ContainerMachines> {
  const image = await ensureImage();
  const owner = `fake-cloud-${randomUUID().slice(0, 8)}`;
  const volumes = `${owner}-volumes`;
  await docker(["volume", "create", "--label", `molecule.fake-cloud=${owner}`, volumes]);
  // Not the engine's default one: an engine that begins without a bridge takes that away from all others.
  await docker(["network", "create", "--label", `molecule.fake-cloud=${owner}`, owner]);
  return new ContainerMachines(owner, volumes, image);
}

export class ContainerMachines implements MachineHost {
  readonly what = "each machine is a container with a real sshd and Node";
  readonly #owner: string;
  readonly #volumes: string;
  readonly #image: string;
  readonly #made = new Set<string>();
  readonly #watchers = new Map<string, ChildProcess>();
  readonly #listeners: ((id: string) => void)[] = [];

  constructor(owner: string, volumes: string, image: string) {
    this.#owner = owner;
    this.#volumes = volumes;
    this.#image = image;
  }

  /** This machine's own address as those see it. */
  async gateway(): Promise<string> {
    const format = "{{range .IPAM.Config}}{{.Gateway}}{{end}}";
    const { stdout } = await docker(["network", "inspect", this.#owner, "--format", format]);
    return stdout.trim();
  }

  async start({ id, userData }: MachineStart): Promise<{ readonly privateIp: string }> {
    if (this.#made.has(id)) {
      await docker(["start", this.#name(id)]);
    } else {
      this.#made.add(id);
      await docker(["run", "-d", ...this.#options(id, userData), this.#image, "/fake/init"]);
    }
    const { stdout } = await docker([
      "inspect",
      "--format",
      "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
      this.#name(id),
    ]);
    this.#watch(id);
    return { privateIp: stdout.trim() };
  }

  async stop(id: string): Promise<void> {
    this.#watchers.get(id)?.kill();
    this.#watchers.delete(id);
    if (this.#made.has(id)) await docker(["stop", "-t", String(STOP_SECONDS), this.#name(id)]);
  }

  async remove(id: string): Promise<void> {
    if (!this.#made.delete(id)) return;
    await docker(["rm", "-f", "-v", this.#name(id)]);
  }

  async console(id: string): Promise<string> {
    if (!this.#made.has(id)) return "";
    const { stdout, stderr } = await docker(["logs", this.#name(id)]);
    return stdout + stderr;
  }

  async attach(id: string, volumeId: string): Promise<void> {
    const script = 'mkdir -p "/fake/volumes/$1" /dev/disk/by-id && ln -sfn "/fake/volumes/$1" "$2"';
    await this.#run(id, script, [volumeId, devicePath(volumeId)]);
  }

  async detach(id: string, volumeId: string): Promise<void> {
    // A machine that has ended holds nothing any more.
    await this.#run(id, 'rm -f "$1"', [devicePath(volumeId)]).catch(() => undefined);
  }

  async dropVolume(volumeId: string): Promise<void> {
    await docker([
      ...["run", "--rm", "--network", "none", "-v", `${this.#volumes}:/fake/volumes`],
      ...BORROWED.flatMap(borrow),
      ...[this.#image, "/usr/bin/rm", "-rf", `/fake/volumes/${volumeId}`],
    ]);
  }

  async grant(id: string, user: string, publicKey: string, seconds: number): Promise<void> {
    const line = grantLine(publicKey, seconds);
    await this.#run(id, 'mkdir -p /fake/grants; printf %s "$2" >> "/fake/grants/$1"', [user, line]);
  }

  /** Ends a machine from within, as its own shutdown would. */
  async powerOff(id: string): Promise<void> {
    await docker(["kill", this.#name(id)]);
  }

  onEnd(listener: (id: string) => void): void {
    this.#listeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watcher of this.#watchers.values()) watcher.kill();
    this.#watchers.clear();
    await Promise.all([...this.#made].map((id) => this.remove(id)));
    await docker(["volume", "rm", "-f", this.#volumes]);
    await docker(["network", "rm", this.#owner]);
  }

  #name(id: string): string {
    return `${this.#owner}-${id}`;
  }

  #options(id: string, userData: string): readonly string[] {
    return [
      ...["--name", this.#name(id), "--hostname", id, "--network", this.#owner],
      ...["--label", `molecule.fake-cloud=${this.#owner}`],
      ...["--env", `FAKE_INSTANCE_ID=${id}`, "--env", `PATH=${MACHINE_PATH}`],
      ...["--env", `FAKE_USER_DATA=${Buffer.from(userData).toString("base64")}`],
      ...["-v", `${this.#volumes}:/fake/volumes`],
      ...BORROWED.flatMap(borrow),
      ...["-v", `${process.execPath}:/fake/node/node:ro`],
    ];
  }

  async #run(id: string, script: string, args: readonly string[]): Promise<void> {
    await docker(["exec", this.#name(id), "/bin/sh", "-c", script, "sh", ...args]);
  }

  #watch(id: string): void {
    const watcher = spawn("docker", ["wait", this.#name(id)], { stdio: "ignore" });
    this.#watchers.set(id, watcher);
    watcher.once("exit", (code) => {
      if (code !== 0 || this.#watchers.get(id) !== watcher) return;
      this.#watchers.delete(id);
      for (const listener of this.#listeners) listener(id);
    });
    watcher.once("error", () => undefined);
  }
}

/** Where a volume appears in a machine, as on instances with NVMe. */
function devicePath(volumeId: string): string {
  return `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;
}

function borrow(folder: string): readonly string[] {
  return ["-v", `${folder}:${folder}:ro`];
}

async function ensureImage(): Promise<string> {
  const image = `molecule/fake-machine:${imageDigest()}`;
  const { stdout } = await docker(["images", "-q", image]);
  if (stdout.trim() !== "") return image;
  const folder = await mkdtemp(path.join(os.tmpdir(), "fake-machine-"));
  try {
    for (const one of IMAGE_FOLDERS) await mkdir(path.join(folder, one), { recursive: true });
    for (const one of IMAGE_LINKS) await symlink(`usr/${one}`, path.join(folder, one));
    for (const { path: file, content, mode } of IMAGE_FILES) {
      await writeFile(path.join(folder, file), content);
      await chmod(path.join(folder, file), mode);
    }
    const archive = path.join(folder, "..", `${path.basename(folder)}.tar`);
    await call("tar", [
      "-C",
      folder,
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "-cf",
      archive,
      ".",
    ]);
    await docker(["import", archive, image]);
    await rm(archive, { force: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return image;
}

function docker(args: readonly string[]) {
  return call("docker", [...args], { maxBuffer: 16 * 1024 * 1024 });
}
