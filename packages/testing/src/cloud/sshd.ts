import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { realPart } from "../require-real.ts";
import { waitUntil } from "../wait-until.ts";
import { listenOnLoopback } from "./listen.ts";

/** A real OpenSSH server on loopback. Its users exist for it alone. */
export interface TestSshd extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** The first of its users. */
  readonly user: string;
  /** Home folders: `home/<user>`, writable by the user. Below it `small`, a disk of 64 KiB, when root. */
  readonly home: string;
  readonly hostKey: HostKey;
  /** Lets the owner of a key in for so many seconds, as sshd itself counts them. */
  grant(user: string, publicKey: string, seconds: number): Promise<void>;
  /** Kills everything that serves a connection; the listener goes on. Answers how many processes. */
  killSessions(): number;
  /** Everything sshd has said. */
  log(): Promise<string>;
}

/** The public half of a host key as clients see it. */
export interface HostKey {
  /** `ssh-ed25519`. */
  readonly type: string;
  /** One line, as in `ssh_host_ed25519_key.pub`. */
  readonly publicKey: string;
  /** Base64 without padding, as `ssh-keygen -lf` prints it behind `SHA256:`. */
  readonly sha256: string;
}

/** How the server is set up. */
export interface TestSshdOptions {
  /** Names; default `ubuntu`. Only root can have any but its own. */
  readonly users?: readonly string[];
  /** Default 10, as sshd's own. */
  readonly maxSessions?: number;
}

const SSHD = "/usr/sbin/sshd";
const FIRST_UID = 58_201;
/** sshd reads the file at each sign-in; what has expired is of no use in it. */
const MAX_GRANTS = 400;

/** Whether {@link startSshd} works here; a skip with a line, or a failure under REQUIRE_REAL=1. */
export function hasSshd(): boolean {
  return realPart(
    "A real sshd",
    existsSync(SSHD) && (!isRoot() || canMount()),
    "install openssh-server; as root in a container it needs the right to mount",
  );
}

/** Starts one. Its users live in a mount namespace of its own, so the machine's stay as they are. */
export async function startSshd(options: TestSshdOptions = {}): Promise<TestSshd> {
  const users = isRoot() ? (options.users ?? ["ubuntu"]) : [userInfo().username];
  const folder = await mkdtemp(path.join(tmpdir(), "molecule-sshd-"));
  await chmod(folder, 0o755);
  const at = (...parts: string[]) => path.join(folder, ...parts);
  await mkdir(at("grants"));
  for (const [index, user] of users.entries()) {
    await mkdir(at("home", user, "small"), { recursive: true });
    if (!isRoot()) continue;
    for (const own of [at("home", user), at("home", user, "small")]) {
      await chown(own, FIRST_UID + index, FIRST_UID + index);
    }
  }
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at("host_key")]);
  const hostKey = hostKeyOf(await readFile(at("host_key.pub"), "utf8"));
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    await writeFile(at("sshd_config"), configOf(folder, port, options));
    const server = isRoot() ? await spawnAsRoot(folder, users) : spawnSshd(folder);
    const log: Buffer[] = [];
    server.stderr?.on("data", (data: Buffer) => log.push(data));
    server.on("error", (error) => log.push(Buffer.from(String(error))));
    if (await answers(port, () => server.exitCode !== null)) {
      return handleOf({ folder, port, users, hostKey, server, log });
    }
    const said = Buffer.concat(log).toString();
    if (tries === 3) throw new Error(`sshd did not start: ${said}`);
  }
}

interface Parts {
  readonly folder: string;
  readonly port: number;
  readonly users: readonly string[];
  readonly hostKey: HostKey;
  readonly server: ReturnType<typeof spawnSshd>;
  readonly log: readonly Buffer[];
}

function handleOf({ folder, port, users, hostKey, server, log }: Parts): TestSshd {
  const grants = new Map<string, string[]>();
  const kill = () => {
    const children = descendantsOf(server.pid ?? 0);
    for (const pid of children) tryKill(pid);
    return children.length;
  };
  return {
    host: "127.0.0.1",
    port,
    user: users[0] ?? "",
    home: path.join(folder, "home"),
    hostKey,
    grant: async (user, publicKey, seconds) => {
      const file = path.join(folder, "grants", user);
      const line = `expiry-time="${expiryOf(seconds)}" ${publicKey.trim()}\n`;
      const lines = [...(grants.get(user) ?? []), line];
      grants.set(user, lines);
      if (lines.length < MAX_GRANTS) return await appendFile(file, line);
      grants.set(user, lines.slice(-MAX_GRANTS / 2));
      await writeFile(file, lines.slice(-MAX_GRANTS / 2).join(""));
    },
    killSessions: kill,
    log: () => Promise.resolve(Buffer.concat(log).toString()),
    [Symbol.asyncDispose]: async () => {
      const isOver = server.exitCode !== null || server.signalCode !== null;
      const ended = isOver ? null : once(server, "exit");
      kill();
      server.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function canMount(): boolean {
  return spawnSync("unshare", ["--mount", "--propagation", "private", "true"]).status === 0;
}

function configOf(folder: string, port: number, options: TestSshdOptions): string {
  return [
    "ListenAddress 127.0.0.1",
    `Port ${port}`,
    `HostKey ${folder}/host_key`,
    `AuthorizedKeysFile ${folder}/grants/%u`,
    "PidFile none",
    "UsePAM no",
    "StrictModes no",
    "UseDNS no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PrintMotd no",
    "PrintLastLog no",
    "MaxStartups 200:30:400",
    `MaxSessions ${options.maxSessions ?? 10}`,
    "Subsystem sftp internal-sftp",
    "",
  ].join("\n");
}

function spawnSshd(folder: string, prefix: readonly string[] = []) {
  const [program = SSHD, ...args] = [...prefix, SSHD, "-D", "-e", "-f", `${folder}/sshd_config`];
  return spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** With lists of users of its own, a folder for its own separation, and a small disk to fill. */
async function spawnAsRoot(folder: string, users: readonly string[]) {
  const shell = existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh";
  const lines = (make: (user: string, uid: number) => string) =>
    users.map((user, index) => `${make(user, FIRST_UID + index)}\n`).join("");
  const lists: Readonly<Record<string, string>> = {
    passwd: lines((user, uid) => `${user}:x:${uid}:${uid}::${folder}/home/${user}:${shell}`),
    group: lines((user, uid) => `${user}:x:${uid}:`),
    // A star is no password and no lock.
    shadow: lines((user) => `${user}:*:19000:0:99999:7:::`),
  };
  for (const [name, own] of Object.entries(lists)) {
    const known = existsSync(`/etc/${name}`) ? await readFile(`/etc/${name}`, "utf8") : "";
    const others = known.split("\n").filter((line) => !users.includes(line.split(":")[0] ?? ""));
    const text = `${others.filter((line) => line !== "").join("\n")}\n${own}`;
    await writeFile(path.join(folder, name), text, { mode: name === "shadow" ? 0o600 : 0o644 });
  }
  const small = users.map(
    (user, index) =>
      `mount -t tmpfs -o size=64k,uid=${FIRST_UID + index},mode=0755 tmpfs "$0/home/${user}/small"`,
  );
  const script = [
    "set -e",
    ...Object.keys(lists).map((name) => `mount --bind "$0/${name}" /etc/${name}`),
    "mount -t tmpfs tmpfs /run",
    "mkdir -m 0755 /run/sshd",
    ...small,
    'exec "$@"',
  ].join("\n");
  const unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder];
  return spawnSshd(folder, unshare);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listenOnLoopback(probe);
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** True once it greets; false when it has ended before. */
async function answers(port: number, isOver: () => boolean): Promise<boolean> {
  return await waitUntil("sshd greets", async () => {
    if (isOver()) return { greets: false };
    const greets = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      const answer = (does: boolean) => {
        socket.destroy();
        resolve(does);
      };
      socket.once("data", () => answer(true));
      socket.once("error", () => answer(false));
      socket.once("close", () => answer(false));
    });
    return greets ? { greets } : null;
  }).then(({ greets }) => greets);
}

function expiryOf(seconds: number): string {
  const digits = new Date(Date.now() + seconds * 1_000).toISOString().replace(/\D/g, "");
  return `${digits.slice(0, 14)}Z`;
}

function hostKeyOf(line: string): HostKey {
  const [type = "", data = ""] = line.split(" ");
  const sha256 = createHash("sha256").update(Buffer.from(data, "base64")).digest("base64");
  return { type, publicKey: line.trim(), sha256: sha256.replace(/=+$/, "") };
}

function descendantsOf(pid: number): number[] {
  let children: number[] = [];
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    children = text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
