import { AGENT_UID } from "./boot-script.ts";

/** Folders of an agent on its machine. */
export const MACHINE_ROOTS = {
  "/configs": "/configs",
  "/workspace": "/workspace",
  "/home": "/home/agent",
  "/plugins": "/plugins",
} as const;

/** The one command that is ever run on a machine; what it does comes on its stdin. */
export const MACHINE_COMMAND =
  'if [ "$(id -u)" = 0 ]; then exec node --input-type=module -; else exec sudo -n node --input-type=module -; fi';

/** What the program answers with, after everything else it printed. */
export const ANSWER_MARK = "molecule-answer:";

/**
 * What a machine does for the platform, as a program that needs Node alone. Nothing of it is installed:
 * it always fits the worker that sends it. Files are touched as the agent's own user, so that a link it
 * planted leads nowhere it could not go itself; no path ever comes near a shell.
 */
const PROGRAM = String.raw`
import * as fs from "node:fs";
import path from "node:path";
import { createHash } from "node:crypto";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { gunzipSync } from "node:zlib";

const UID = AGENT_UID;
const STATE = "/var/lib/molecule/state.json";
const RUNTIME = "/opt/molecule/runtime.mjs";
const DATA = "/var/lib/molecule/data";
const ROOTS = ROOTS_JSON;
const MAX_CONFIG_BYTES = 1048576;
const MAX_ENTRIES = 5000;
class Refused extends Error { constructor(code, message) { super(message); this.code = code; } }

const readState = () => { try { return JSON.parse(fs.readFileSync(STATE, "utf8")); } catch { return {}; } };
const writeState = (state) => { fs.writeFileSync(STATE + ".new", JSON.stringify(state), { mode: 0o600 }); fs.renameSync(STATE + ".new", STATE); };
const startTimeOf = (pid) => {
  try {
    const stat = fs.readFileSync("/proc/" + pid + "/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : fields[19];
  } catch { return null; }
};
const isAlive = (state) => state.pid !== undefined && startTimeOf(state.pid) === state.startTime;
const shaOf = (file) => { try { return createHash("sha256").update(fs.readFileSync(file)).digest("hex"); } catch { return null; } };
const isMounted = (dir) => spawnSync("mountpoint", ["-q", dir]).status === 0;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const asAgent = (work) => {
  process.setgroups([]); process.setegid(UID); process.seteuid(UID);
  try { return work(); } finally { process.seteuid(0); process.setegid(0); }
};
const inside = (root, relative) => {
  const base = ROOTS[root];
  if (base === undefined) throw new Refused("bad_request", "no such root");
  const full = path.resolve(base, relative);
  if (full !== base && !full.startsWith(base + "/")) throw new Refused("bad_request", "outside its folder");
  return full;
};
const known = (work) => {
  try { return work(); } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw new Refused("not_found", "no such file");
    if (error.code === "EISDIR" || error.code === "ELOOP") throw new Refused("bad_request", "not a regular file");
    throw error;
  }
};
const writeAtomically = (file, content, mode) => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const part = path.join(path.dirname(file), "." + path.basename(file).slice(0, 100) + "." + process.pid + ".part");
  fs.rmSync(part, { force: true });
  const at = fs.openSync(part, "wx", mode);
  try { fs.writeSync(at, content); fs.fchmodSync(at, mode); fs.fsyncSync(at); } finally { fs.closeSync(at); }
  fs.renameSync(part, file);
};
const walk = (dir, prefix, depth, each) => {
  for (const entry of fs.readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const relative = prefix === "" ? entry.name : prefix + "/" + entry.name;
    if (each(entry, relative) === false) return;
    if (entry.isDirectory() && depth > 1) walk(path.join(dir, entry.name), relative, depth - 1, each);
  }
};

const agentPids = () => fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
  try { return fs.statSync("/proc/" + pid).uid === UID && startTimeOf(pid) !== null; } catch { return false; }
});
const signalAll = (signal) => { for (const pid of agentPids()) try { process.kill(pid, signal); } catch {} };

const ops = {
  hello: () => {
    const state = readState();
    return {
      isPrepared: fs.existsSync("/var/lib/molecule/prepared"),
      attempt: isAlive(state) ? state.attempt : null,
      runtimeSha: shaOf(RUNTIME),
      volume: isMounted(DATA) ? (state.volume ?? null) : null,
    };
  },
  mount: ({ volumeId, device }) => {
    const state = readState();
    if (!isMounted(DATA)) {
      const names = ["/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + volumeId.replace("-", ""), device, device.replace("/dev/sd", "/dev/xvd")];
      const found = names.find((name) => fs.existsSync(name));
      if (found === undefined) throw new Refused("no_device", "the disk is not there yet");
      if (spawnSync("blkid", [found]).status !== 0) execFileSync("mkfs.ext4", ["-q", found]);
      fs.mkdirSync(DATA, { recursive: true });
      execFileSync("mount", [found, DATA]);
    }
    for (const target of Object.values(ROOTS)) {
      const source = path.join(DATA, path.basename(target));
      if (!fs.existsSync(source)) { fs.mkdirSync(source, { mode: 0o750 }); fs.chownSync(source, UID, UID); }
      if (isMounted(target)) continue;
      fs.mkdirSync(target, { recursive: true });
      execFileSync("mount", ["--bind", source, target]);
    }
    writeState({ ...readState(), volume: volumeId });
    return {};
  },
  stop: async ({ graceMs, unmounts }) => {
    const state = readState();
    if (isAlive(state)) try { process.kill(-state.pid, "SIGTERM"); } catch {}
    const deadline = Date.now() + graceMs;
    while (isAlive(state) && Date.now() < deadline) await sleep(50);
    for (let round = 0; round < 100 && agentPids().length > 0; round += 1) { signalAll("SIGKILL"); await sleep(50); }
    if (agentPids().length > 0) throw new Refused("still_running", "the agent did not end");
    if (unmounts) for (const target of [...Object.values(ROOTS), DATA]) if (isMounted(target)) execFileSync("umount", [target]);
    return {};
  },
  start: ({ attempt, runtime, runtimeSha, runtimeGz, files, removed, env }) => {
    const state = readState();
    if (isAlive(state)) {
      if (state.attempt === attempt) return { pid: state.pid };
      throw new Refused("still_running", "another attempt still runs");
    }
    if (!isMounted(DATA)) throw new Refused("no_device", "the disk is not mounted");
    if (runtimeGz !== undefined) {
      fs.mkdirSync(path.dirname(RUNTIME), { recursive: true });
      fs.writeFileSync(RUNTIME + ".new", gunzipSync(Buffer.from(runtimeGz, "base64")), { mode: 0o644 });
      if (shaOf(RUNTIME + ".new") !== runtimeSha) throw new Refused("no_runtime", "the runtime came damaged");
      fs.renameSync(RUNTIME + ".new", RUNTIME);
    }
    if (shaOf(RUNTIME) !== runtimeSha) throw new Refused("no_runtime", "the runtime is missing");
    const agent = "/opt/agents/" + runtime;
    if (runtime !== "demo" && !fs.existsSync(agent + "/node_modules")) throw new Refused("no_agent", "the agent is not installed");
    asAgent(() => {
      for (const file of removed) fs.rmSync(inside("/configs", file), { force: true });
      for (const file of files) writeAtomically(inside("/configs", file.path), Buffer.from(file.content, "base64"), file.mode);
    });
    const log = fs.openSync("/var/lib/molecule/runtime-" + attempt + ".log", "a", 0o600);
    const child = spawn(process.execPath, [RUNTIME], {
      cwd: ROOTS["/workspace"], env: { PATH: process.env.PATH, ...env }, uid: UID, gid: UID, detached: true, stdio: ["ignore", log, log],
    });
    child.on("error", () => undefined);
    if (child.pid === undefined) throw new Refused("no_runtime", "Node could not be started");
    writeState({ ...readState(), attempt, pid: child.pid, startTime: startTimeOf(child.pid) });
    child.unref();
    return { pid: child.pid };
  },
  configs: () => {
    if (!isMounted(DATA)) return { files: null };
    const found = {};
    asAgent(() => walk(ROOTS["/configs"], "", 32, (entry, relative) => {
      if (relative.split("/").some((part) => part.startsWith("."))) return;
      if (!entry.isFile()) return;
      const file = path.join(ROOTS["/configs"], relative);
      if (fs.statSync(file).size <= MAX_CONFIG_BYTES) found[relative] = fs.readFileSync(file).toString("base64");
    }));
    return { files: found };
  },
  list: ({ root, path: at, depth }) => asAgent(() => known(() => {
    const dir = inside(root, at);
    const entries = [];
    let truncated = false;
    walk(dir, at === "" ? "" : at, depth, (entry, relative) => {
      if (entries.length >= MAX_ENTRIES) { truncated = true; return false; }
      const info = fs.lstatSync(path.join(ROOTS[root], relative));
      entries.push({ path: relative, size: entry.isDirectory() ? 0 : info.size, dir: entry.isDirectory() });
    });
    return { entries, truncated };
  })),
  read: ({ root, path: at, maxBytes }) => asAgent(() => known(() => {
    const handle = fs.openSync(inside(root, at), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    try {
      const info = fs.fstatSync(handle);
      if (!info.isFile()) throw new Refused("bad_request", "not a regular file");
      if (info.size > maxBytes) throw new Refused("payload_too_large", "too large");
      return { content: fs.readFileSync(handle).toString("base64") };
    } finally { fs.closeSync(handle); }
  })),
  write: ({ root, path: at, content }) => asAgent(() => known(() => {
    writeAtomically(inside(root, at), Buffer.from(content, "base64"), 0o644);
    return {};
  })),
  remove: ({ root, path: at }) => asAgent(() => known(() => {
    fs.rmSync(inside(root, at), { recursive: true });
    return {};
  })),
  logs: ({ attempt, lines }) => {
    const no = attempt ?? readState().attempt;
    try {
      const text = fs.readFileSync("/var/lib/molecule/runtime-" + no + ".log", "utf8").slice(-262144);
      return { lines: text.split("\n").filter((line) => line !== "").slice(-lines) };
    } catch { return { lines: [] }; }
  },
};

const answer = await (async () => {
  try { return { ok: true, value: await ops[CALL.op](CALL.input) }; } catch (error) {
    return { ok: false, code: error instanceof Refused ? error.code : "failed", message: String(error && error.message) };
  }
})();
await new Promise((resolve) => process.stdout.write("\nANSWER_MARK" + JSON.stringify(answer) + "\n", resolve));
process.exit(0);
`;

const FIXED = PROGRAM.replace("AGENT_UID;", `${AGENT_UID};`)
  .replace("ROOTS_JSON", JSON.stringify(MACHINE_ROOTS))
  .replace("ANSWER_MARK", ANSWER_MARK);

/** The program with its one call. */
export function programFor(op: string, input: unknown): Uint8Array {
  const call = `const CALL = ${JSON.stringify({ op, input })};\n`;
  return new TextEncoder().encode(call + FIXED);
}
