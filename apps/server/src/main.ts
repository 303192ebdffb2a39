import { startServer } from "@molecule/api/server";
import { openDatabase } from "@molecule/db/database";
import { serializeError } from "@molecule/db/error-record";
import { loadCipher, loadTokenKey } from "@molecule/db/secrets/key-ring";
import { startBridgeListeners } from "./bridge-listeners.ts";
import { readEnv, type ServerEnv } from "./env.ts";
import { listen } from "./listener.ts";
import { createLog } from "./log.ts";
import { createStaticFiles } from "./static-files.ts";

/** Requests under way get this long when the process is told to end. */
const GRACE_MS = 3000;
/** Whatever hangs, the process is gone by then. The launcher waits 10 s. */
const STOP_DEADLINE_MS = 8000;

async function main(): Promise<void> {
  const env = readEnv();
  const log = createLog(env.logLevel);
  const db = openDatabase({
    url: env.databaseUrl,
    applicationName: "molecule-server",
    maxConnections: 12,
    onWrongEvent: (problem) => log.error({ problem }, "an event is not as its schema says"),
  });
  const keys = { key: env.secretsKey, keyFile: env.secretsKeyFile };
  const cipher = loadCipher(keys);
  const api = await startServer({
    db,
    cipher,
    tokenKey: loadTokenKey(keys, env.tokenKeyFile),
    runtimeBundle: env.runtimeBundle,
    log,
    platform: platformOf(env),
    templatesDir: env.templatesDir,
    orgTemplatesDir: env.orgTemplatesDir,
    plugins: env.plugins,
    workerKeyFile: env.workerKeyFile,
    pages: createStaticFiles(env.canvasDir),
  });
  const { host } = env;
  const listener = await listen(api, { host, port: env.port });
  const { port } = listener;
  const bridges = startBridgeListeners({ db, api, port, host, log });

  let isStopping = false;
  const stop = async (why: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ why }, "stopping");
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    // New requests are refused first; streams would keep their connections open for ever.
    const closed = Promise.all([listener.close(GRACE_MS), bridges.stop()]);
    await api.stop();
    await closed;
    await db.close();
    process.exit(0);
  };
  const stopOrDie = (why: string) => {
    stop(why).catch((err: unknown) => {
      log.error({ err }, "the server did not stop in order");
      process.exit(1);
    });
  };
  process.once("SIGTERM", () => stopOrDie("SIGTERM"));
  process.once("SIGINT", () => stopOrDie("SIGINT"));
  if (env.exitsWithStdin) {
    process.stdin.resume();
    process.stdin.once("end", () => stopOrDie("stdin ended"));
    process.stdin.once("error", () => stopOrDie("stdin failed"));
  }
  print({
    ready: true,
    url: env.publicUrl ?? `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
  });
  log.info({ host, port, version: env.version, gitSha: env.gitSha }, "listening");
  if (env.isDevMode) {
    log.warn({ host }, "dev mode: requests from this machine need no credential");
  }
}

function platformOf(env: ServerEnv) {
  return {
    id: env.platformId,
    version: env.version,
    gitSha: env.gitSha,
    publicUrl: env.publicUrl ?? `http://${env.host}:${env.port}`,
    adminToken: env.adminToken,
    corsOrigins: env.corsOrigins,
    rateLimit: env.rateLimit,
    settle: env.settle,
    allowCidrs: env.allowCidrs,
    a2aIdleTimeoutMs: env.a2aIdleTimeoutMs,
    startTimeoutMs: env.startTimeoutMs,
    reach: env.reach,
    orgId: env.orgId,
    servesCanvas: env.servesCanvas,
    isDevMode: env.isDevMode,
    givesTestTokens: env.givesTestTokens,
  };
}

/** One line for the launcher. */
function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

main().catch((error: unknown) => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EADDRINUSE") {
    print({
      fatal: true,
      error: "The port is taken by another program.",
      next: "Stop that program, or choose another port with PORT.",
    });
  } else {
    createLog("info").fatal({ err: error }, messageOf(error));
  }
  process.exit(1);
});

/** What the person who started it reads; causes say more than a failed statement does. */
function messageOf(error: unknown): string {
  const { message, causes } = serializeError(error);
  const [cause] = Array.isArray(causes) ? causes : [];
  return `The server cannot start: ${String(cause?.message ?? message)}`;
}
