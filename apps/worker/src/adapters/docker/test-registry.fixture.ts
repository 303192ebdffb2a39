import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { waitUntil } from "@molecule/testing/wait-until";

/** Debian's registry program. */
const PROGRAM = "/usr/bin/docker-registry";

/** A registry of its own on the loopback address, which engines use without TLS. */
export interface TestRegistry {
  /** host:port, the first part of the names of its images. */
  readonly host: string;
  /** Its process is gone; what it stores stays for the next `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stopped, and its folder is gone. */
  close(): Promise<void>;
}

/** True where Debian's `docker-registry` is installed. */
export function hasRegistry(): Promise<boolean> {
  return access(PROGRAM).then(
    () => true,
    () => false,
  );
}

/** Starts a registry; close it. */
export async function openTestRegistry(): Promise<TestRegistry> {
  const folder = await mkdtemp(path.join(tmpdir(), "molecule-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const config = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: path.join(folder, "data") } },
    http: { addr: host },
  };
  const file = path.join(folder, "config.json");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  let running: ReturnType<typeof spawn> | null = null;
  const start = async () => {
    running = spawn(PROGRAM, ["serve", file], { stdio: "ignore" });
    await waitUntil("the registry answers", async () => {
      return await fetch(`http://${host}/v2/`).then(
        (response) => response.ok,
        () => false,
      );
    });
  };
  const stop = async () => {
    if (running === null) return;
    const ended = once(running, "exit");
    running.kill("SIGTERM");
    running = null;
    await ended;
  };
  await start();
  return {
    host,
    start,
    stop,
    close: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
