import type { Database } from "@molecule/db/database";
import { LoopPulse } from "@molecule/db/processes/pulse";
import type { SecretCipher } from "@molecule/db/secrets/cipher";
import { KnownTargets } from "./a2a/known-targets.ts";
import { startDispatcher } from "./a2a/start-dispatcher.ts";
import { resolveAll } from "./adapters/public-address.ts";
import { createRuntimeFile } from "./adapters/runtime-file.ts";
import { createWorkerClient } from "./adapters/worker-client.ts";
import type { Deps, Log, Platform } from "./deps.ts";
import { createLiveChannel } from "./events/live-channel.ts";
import { startRetention } from "./events/retention.ts";
import { Metrics } from "./http/metrics.ts";
import { createPluginSources, type PluginSettings } from "./services/plugins/plugin-sources.ts";
import { type Api, type Pages, startApi } from "./start-api.ts";

/** What a server process is made from. */
export interface ServerOptions {
  readonly db: Database;
  readonly cipher: SecretCipher;
  /** What the tokens of attempts are derived from; that of the worker. */
  readonly tokenKey: Uint8Array;
  /** The built `runtime.mjs`. */
  readonly runtimeBundle: string;
  readonly log: Log;
  readonly platform: Platform;
  /** Folder of the workspace templates. */
  readonly templatesDir: string;
  readonly orgTemplatesDir: string;
  readonly plugins: PluginSettings;
  /** The launcher's key of the worker's private API. */
  readonly workerKeyFile: string;
  /** The built canvas. */
  readonly pages: Pages;
}

/** Starts everything the public process runs. Rejects when the database cannot be reached. */
export async function startServer(options: ServerOptions): Promise<Api> {
  const { db, cipher, log, platform, workerKeyFile, pages } = options;
  const now = () => new Date();
  const { allowCidrs, a2aIdleTimeoutMs } = platform;
  const pulse = new LoopPulse({ db, kind: "server", log });
  const dispatcher = startDispatcher({ db, log, cipher, allowCidrs, a2aIdleTimeoutMs, pulse });
  const deps: Deps = {
    db,
    cipher,
    tokenKey: options.tokenKey,
    runtimeFile: createRuntimeFile(options.runtimeBundle),
    log,
    metrics: new Metrics(),
    platform,
    worker: createWorkerClient({ db, keyFile: workerKeyFile, now }),
    live: createLiveChannel((err) => log.error({ err }, "a listener of live events failed")),
    templatesDir: options.templatesDir,
    orgTemplatesDir: options.orgTemplatesDir,
    plugins: createPluginSources({
      settings: options.plugins,
      allowCidrs,
      resolve: resolveAll,
      log,
      now,
    }),
    dispatcher,
    knownTargets: new KnownTargets(),
    pulse,
    now,
  };
  const retention = startRetention(db, log, pulse);
  try {
    const api = await startApi(deps, pages);
    return {
      ...api,
      stop: async () => {
        await api.stop();
        await dispatcher.stop();
        await retention.stop();
        await pulse.stop();
      },
    };
  } catch (error) {
    await dispatcher.stop(0);
    await retention.stop();
    await pulse.stop();
    throw error;
  }
}
