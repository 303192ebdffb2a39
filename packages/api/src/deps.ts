import type { StreamEvent } from "@molecule/contracts/events";
import type { TerminalAsk } from "@molecule/contracts/terminal";
import type { WorkerInput, WorkerOperation, WorkerOutput } from "@molecule/contracts/worker-api";
import type { Database } from "@molecule/db/database";
import type { Pulse } from "@molecule/db/processes/pulse";
import type { SecretCipher } from "@molecule/db/secrets/cipher";
import type { ReachSetting } from "@molecule/domain/machine-reach";
import type { SettleSettings } from "@molecule/domain/settle";
import type { WebSocket } from "ws";
import type { Dispatcher } from "./a2a/dispatcher.ts";
import type { KnownTargets } from "./a2a/known-targets.ts";
import type { RuntimeFile } from "./adapters/runtime-file.ts";
import type { Metrics } from "./http/metrics.ts";
import type { PluginSources } from "./services/plugins/plugin-sources.ts";

/** What the API logs to; pino fits. The first argument is data, never a body or a secret. */
export interface Log {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

/** Facts of this deployment that do not change while the process runs. */
export interface Platform {
  /** Marks everything a backend makes for this deployment. */
  readonly id: string;
  readonly version: string;
  readonly gitSha: string;
  /** Where people and external agents reach the platform; no trailing slash. */
  readonly publicUrl: string;
  /** The operator's bearer; null switches it off. */
  readonly adminToken: string | null;
  readonly corsOrigins: readonly string[];
  /** Requests a minute per credential, or per address without one; 0 switches the limit off. */
  readonly rateLimit: number;
  readonly settle: SettleSettings;
  /** Private networks that external agents may live on. */
  readonly allowCidrs: readonly string[];
  /** Silence after which a dispatched message counts as lost, in ms. */
  readonly a2aIdleTimeoutMs: number;
  /** The operator's limit for every start, in ms; null: what a configuration or runtime says. */
  readonly startTimeoutMs: number | null;
  /** How agents on machines elsewhere are spoken to. */
  readonly reach: ReachSetting;
  /** The organisation this deployment is of; requests for another one find nobody. Null: off. */
  readonly orgId: string | null;
  /** Pages of ours pass that rule. */
  readonly servesCanvas: boolean;
  /** Requests from this machine without a credential are the operator's. */
  readonly isDevMode: boolean;
  /** Test tokens are handed to the operator: this is nobody's production. */
  readonly givesTestTokens: boolean;
}

/** The worker's private API, wherever a live worker listens. */
export interface WorkerClient {
  /** @throws DomainError `workspace_unreachable` when no worker is alive, else the worker's own. */
  call<K extends WorkerOperation>(operation: K, input: WorkerInput<K>): Promise<WorkerOutput<K>>;
  /** The same at every live worker; those that do not answer are left out. */
  callAll<K extends WorkerOperation>(
    operation: K,
    input: WorkerInput<K>,
  ): Promise<readonly WorkerOutput<K>[]>;
  /**
   * A socket to the worker that has the terminal, or is to open it; connecting still.
   * @throws DomainError as `call`; `not_found` when its worker is gone.
   */
  openTerminal(ask: TerminalAsk): Promise<WebSocket>;
}

/** Events that are not on the log: beats, streamed text. Reaches every open stream of this process. */
export interface LiveChannel {
  emit(event: StreamEvent): void;
  /** Calls `listener` for each event until the returned function is called. */
  subscribe(listener: (event: StreamEvent) => void): () => void;
}

/** Everything a use case may touch; made once in `apps/server`. */
export interface Deps {
  readonly db: Database;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly platform: Platform;
  readonly worker: WorkerClient;
  readonly live: LiveChannel;
  /** Seals and opens secrets; made by `loadCipher` from the key of this installation. */
  readonly cipher: SecretCipher;
  /** 32 bytes that the tokens of attempts are derived from; the worker's are the same. */
  readonly tokenKey: Uint8Array;
  /** What machines of our backends boot with. */
  readonly runtimeFile: RuntimeFile;
  /** Folder of the workspace templates. */
  readonly templatesDir: string;
  /** Folder of the teams that can be made at once. */
  readonly orgTemplatesDir: string;
  /** Where plugins come from. */
  readonly plugins: PluginSources;
  /** Delivers A2A messages; outlives the requests that bring them. Made by `startDispatcher`. */
  readonly dispatcher: Dispatcher;
  readonly knownTargets: KnownTargets;
  /** Hears of every round of this process's loops. */
  readonly pulse: Pulse;
  /** Wall time of this process; rate limits and the log alone use it. */
  readonly now: () => Date;
}
