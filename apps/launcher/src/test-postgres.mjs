/**
 * Runs a throw-away Postgres for tests: prints one JSON line {"url"} on stdout and stays until stdin
 * ends, then stops it and removes its folder. Nothing in it survives a crash.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPidFile, startPostgres } from "./postgres.mjs";
import { commandOf, isRunning, markOf, signalProcess, waitUntilGone } from "./processes.mjs";

const PREFIX = "molecule-test-pg-";
const OWNER = "owner.json";

/** Removes what test runs that were killed left behind. */
async function sweep() {
  for (const entry of readdirSync(tmpdir())) {
    if (!entry.startsWith(PREFIX)) continue;
    const folder = join(tmpdir(), entry);
    try {
      const owner = JSON.parse(readFileSync(join(folder, OWNER), "utf8"));
      if (isRunning(owner)) continue;
      const pid = readPidFile(join(folder, "pg"))?.pid;
      const mark = pid === undefined ? undefined : markOf(pid);
      if (mark !== undefined && commandOf(mark.pid).includes(folder)) {
        signalProcess(mark, "SIGQUIT");
        await waitUntilGone(mark, 5000);
      }
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another run's folder that is being made or removed, or another user's.
    }
  }
}

await sweep();
const home = mkdtempSync(join(tmpdir(), PREFIX));
writeFileSync(join(home, OWNER), JSON.stringify(markOf(process.pid)));
chmodSync(home, 0o711);
/** @type {import("./postgres.mjs").EmbeddedPostgres | undefined} */
let server;
let isStopping = false;
async function stop() {
  if (isStopping) return;
  isStopping = true;
  await server?.stop("immediate");
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
try {
  server = await startPostgres({
    home,
    isThrowaway: true,
    cacheFolder: join(tmpdir(), "molecule-postgres"),
  });
} catch (error) {
  rmSync(home, { recursive: true, force: true });
  throw error;
}
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
process.stdin.once("end", stop).once("close", stop).once("error", stop).resume();
