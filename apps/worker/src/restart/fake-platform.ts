import { createHash, randomBytes, randomUUID } from "node:crypto";
import { recordWrite, type WrittenChange } from "@molecule/db/changes/record-write";
import type { Database } from "@molecule/db/database";
import { writeManagedFile } from "@molecule/db/files/managed-files";
import { markFirstHeartbeat, markRegistered } from "@molecule/db/lifecycle/mark-registered";
import { orRefused, requestRestart } from "@molecule/db/lifecycle/request-restart";
import { type IntentRequest, setIntent } from "@molecule/db/lifecycle/set-intent";
import { recordBeat } from "@molecule/db/registry/liveness";
import { createCipher } from "@molecule/db/secrets/cipher";
import { newInboundSecret, sealInboundSecret } from "@molecule/db/secrets/inbound-secret";
import { tokenKeyOf } from "@molecule/db/secrets/key-ring";
import { writePolicies } from "@molecule/db/workspaces/config-rows";
import { insertWorkspace } from "@molecule/db/workspaces/insert-workspace";
import type { Actor, ApplyPolicy, Backend, SettleStream } from "@molecule/domain/sets";
import { renderConfigs } from "@molecule/templates/render-config";
import type { ComputeBackend, InstanceKey } from "../provisioning/compute-backend.ts";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import type { Failpoint } from "../runtime/failpoint.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import { RunLoop } from "../runtime/run-loop.ts";
import { Scope } from "../runtime/scope.ts";
import { Prober } from "./prober.ts";
import { Reconciler } from "./reconciler.ts";
import { type RestartSettings, restartSettings } from "./settings.ts";
import { Sweeper } from "./sweeper.ts";

/** Plain SQL for arranging and asserting. */
export type PlainSql = (
  strings: TemplateStringsArray,
  // biome-ignore lint/suspicious/noExplicitAny: the driver's own parameter type is not ours to name.
  ...values: any[]
) => PromiseLike<readonly Record<string, unknown>[]>;

export const ADA: Actor = { kind: "member", id: randomUUID(), name: "Ada" };

/** What a test changes of the platform. */
export interface FakePlatformOptions {
  readonly db: Database;
  readonly sql: PlainSql;
  readonly settings?: Partial<RestartSettings>;
  /** Agents register and beat as soon as they run. Default true. */
  readonly agentsBeat?: boolean;
  readonly backend?: FakeBackend;
  /** 32 bytes; drawn when absent. */
  readonly masterKey?: Uint8Array;
}

/** A workspace as a test looks at it. */
export interface SeenWorkspace {
  readonly phase: string;
  readonly intent: string;
  readonly health: string;
  readonly desired: number;
  readonly applied: number;
  readonly attempt: number;
  readonly bootFailures: number;
  readonly crashCount: number;
  readonly failure: { code: string; sentence: string; missing?: string[] } | null;
}

/** An attempt as a test looks at it. */
export interface SeenAttempt {
  readonly no: number;
  readonly reason: string;
  readonly outcome: string | null;
  readonly snapGen: number | null;
  readonly actor: string;
  readonly sentence: string;
  readonly absorbed: readonly string[];
  readonly stages: readonly string[];
}

/** A platform on a real database with a backend in memory and agents that do what agents do. */
export class FakePlatform {
  readonly backend: FakeBackend;
  readonly settings: RestartSettings;
  readonly sources;
  readonly #options: FakePlatformOptions;
  readonly #scope = new Scope(SILENT_LOG);
  readonly #beaten = new Set<string>();

  constructor(options: FakePlatformOptions) {
    this.#options = options;
    this.backend = options.backend ?? new FakeBackend();
    this.settings = {
      ...restartSettings({
        scale: 1,
        bootTimeoutMs: null,
        leaseMs: 15_000,
        pollMs: 20,
        concurrency: 8,
      }),
      probeEveryMs: 20,
      sweepEveryMs: 30,
      ...options.settings,
    };
    const masterKey = options.masterKey ?? new Uint8Array(randomBytes(32));
    this.sources = {
      cipher: createCipher(masterKey),
      tokenKey: tokenKeyOf(masterKey),
      render: renderConfigs,
    };
    if (options.agentsBeat !== false) {
      const agents = new RunLoop({
        name: "agents",
        everyMs: 10,
        run: () => this.beatAll(),
        log: SILENT_LOG,
      });
      this.#scope.add("agents", () => agents.stop());
    }
  }

  /** Starts one more worker. */
  startWorker(failpoint: Failpoint = async () => undefined): Reconciler {
    const worker = new Reconciler({
      db: this.#options.db,
      owner: randomUUID(),
      backendOf: (kind: Backend): ComputeBackend | null =>
        kind === this.backend.kind ? this.backend : null,
      sources: this.sources,
      settings: this.settings,
      failpoint,
      log: SILENT_LOG,
    });
    this.#scope.add("worker", () => worker.stop());
    return worker;
  }

  startProber(answersHttp: (address: string) => Promise<boolean> = async () => true): Prober {
    const prober = new Prober({ ...this.#watched(), answersHttp });
    this.#scope.add("prober", () => prober.stop());
    return prober;
  }

  startSweeper(): Sweeper {
    const sweeper = new Sweeper(this.#watched());
    this.#scope.add("sweeper", () => sweeper.stop());
    return sweeper;
  }

  #watched() {
    const { db } = this.#options;
    return { db, backends: [this.backend], settings: this.settings, log: SILENT_LOG };
  }

  async stop(): Promise<void> {
    await this.#scope.stop();
  }

  /** A workspace that is due, as creating one leaves it. */
  async createWorkspace(
    over: {
      readonly requiredEnv?: readonly string[];
      readonly parentId?: string;
      readonly policy?: ApplyPolicy;
      readonly backend?: Backend;
      readonly extra?: Readonly<Record<string, unknown>>;
    } = {},
  ): Promise<string> {
    const id = randomUUID();
    const inbound = sealInboundSecret(this.sources.cipher, id, newInboundSecret());
    await this.#options.db.transaction(async (tx) => {
      await insertWorkspace(tx, {
        id,
        name: `ws ${id.slice(0, 4)}`,
        role: null,
        tier: 3,
        runtime: "demo",
        backend: over.backend ?? this.backend.kind,
        template: null,
        parentId: over.parentId ?? null,
        config: {
          model: "sonnet",
          provider: null,
          instructions: "Be kind.",
          description: "",
          requiredEnv: [...(over.requiredEnv ?? [])],
          starterPrompts: [],
          extra: { ...over.extra },
        },
        inboundSecret: inbound,
        maxConcurrentTasks: 1,
        budgetLimit: null,
        workspaceDir: null,
        workspaceAccess: "none",
        advertisedUrl: "",
        files: new Map(),
        place: { x: 0, y: 0 },
        actor: ADA,
      });
      if (over.policy !== undefined) await writePolicies(tx, id, { applyPolicy: over.policy });
    });
    return id;
  }

  /** Saves one file, as the Files API does. */
  async writeFile(id: string, path: string, content: string): Promise<number> {
    return await this.writeFiles(id, { [path]: content }, false);
  }

  /** Saves files in one transaction and one generation. */
  async writeFiles(
    id: string,
    files: Readonly<Record<string, string>>,
    isBatch = true,
  ): Promise<number> {
    const changes = Object.keys(files).map((name) => ({ kind: "file" as const, name }));
    return await this.#write(id, { changes, stream: "files", isBatch }, () => files);
  }

  /** Saves a file whose text is the generation that carries it, and answers that. */
  async writeNumbered(id: string, path: string, isBatch: boolean): Promise<number> {
    const changes = [{ kind: "file" as const, name: path }];
    return await this.#write(id, { changes, stream: "files", isBatch }, (generation) => ({
      [path]: String(generation),
    }));
  }

  /** Stores a secret. */
  async writeSecret(id: string, key: string, value: string): Promise<number> {
    const { db, sql } = this.#options;
    const record = this.sources.cipher.encrypt({ scope: id, key }, value);
    await sql`INSERT INTO workspace_secrets (workspace_id, key, record) VALUES (${id}, ${key}, ${record})`;
    return await db.transaction(async (tx) => {
      const { generation } = await recordWrite(tx, {
        workspaceId: id,
        actor: ADA,
        stream: "settings",
        isBatch: true,
        changes: [{ kind: "secret", name: key }],
        settings: this.settings.lifecycle.settle,
      });
      return generation;
    });
  }

  async #write(
    id: string,
    write: { changes: readonly WrittenChange[]; stream: SettleStream; isBatch: boolean },
    filesOf: (generation: number) => Readonly<Record<string, string>>,
  ): Promise<number> {
    return await this.#options.db.transaction(async (tx) => {
      const { generation } = await recordWrite(tx, {
        workspaceId: id,
        actor: ADA,
        ...write,
        settings: this.settings.lifecycle.settle,
      });
      for (const [path, content] of Object.entries(filesOf(generation))) {
        await writeManagedFile(tx, {
          workspaceId: id,
          path,
          content: new TextEncoder().encode(content),
          generation,
          actorName: ADA.name,
        });
      }
      return generation;
    });
  }

  async click(id: string, clickId?: string, how: { isReset?: boolean; isRebuilt?: boolean } = {}) {
    const answer = await this.#options.db.transaction((tx) =>
      requestRestart(tx, {
        workspaceId: id,
        actor: ADA,
        ...(clickId === undefined ? {} : { clickId }),
        ...how,
      }),
    );
    return orRefused(answer);
  }

  async intent(id: string, to: IntentRequest["to"]) {
    return await this.#options.db.transaction((tx) =>
      setIntent(tx, { workspaceId: id, actor: ADA, to }),
    );
  }

  /** Every agent whose start is recorded beats once: a real one takes longer to boot than to record. */
  async beatAll(): Promise<void> {
    for (const instance of this.backend.running()) {
      if (this.#beaten.has(instance.providerId)) continue;
      const [row] = await this.#options.sql`
        SELECT 1 FROM machines WHERE provider_id = ${instance.providerId}`;
      if (row === undefined) continue;
      if ((await this.beat(instance)) === 200) this.#beaten.add(instance.providerId);
    }
  }

  /** Registers and beats as the agent of this attempt would; answers what the platform would say. */
  async beat(key: InstanceKey, activeTasks = 0): Promise<200 | 401 | 409> {
    const instance = this.backend.created.find(
      (one) => one.workspaceId === key.workspaceId && one.attemptNo === key.attemptNo,
    );
    const token = instance?.spec.files.find((file) => file.path === ".auth_token")?.content;
    return (await this.beatWithToken(token ?? "", activeTasks)).status;
  }

  /** The same with the bearer itself; `ref` is null when the token is not accepted. */
  async beatWithToken(
    token: string | Uint8Array,
    activeTasks = 0,
  ): Promise<{ readonly status: 200 | 401 | 409; readonly ref: InstanceKey | null }> {
    const digest = createHash("sha256").update(token).digest();
    const [row] = await this.#options.sql`
      SELECT workspace_id, attempt_no, revoked_at FROM workspace_tokens WHERE token_sha256 = ${digest}`;
    if (row === undefined) return { status: 401, ref: null };
    if (row.revoked_at !== null) return { status: 409, ref: null };
    const ref = { workspaceId: String(row.workspace_id), attemptNo: Number(row.attempt_no) };
    await this.#options.db.transaction((tx) => markRegistered(tx, ref));
    await this.#options.db.transaction(async (tx) => {
      await recordBeat(tx, { ...ref, activeTasks });
      await markFirstHeartbeat(tx, ref);
    });
    return { status: 200, ref };
  }

  async see(id: string): Promise<SeenWorkspace> {
    const [row] = await this.#options.sql`
      SELECT phase, intent, health, desired_gen, applied_gen, current_attempt, boot_failures,
        crash_count, failure FROM workspaces WHERE id = ${id}`;
    if (row === undefined) throw new Error(`no workspace ${id}`);
    return {
      phase: String(row.phase),
      intent: String(row.intent),
      health: String(row.health),
      desired: Number(row.desired_gen),
      applied: Number(row.applied_gen),
      attempt: Number(row.current_attempt),
      bootFailures: Number(row.boot_failures),
      crashCount: Number(row.crash_count),
      failure: row.failure as SeenWorkspace["failure"],
    };
  }

  async attempts(id: string): Promise<readonly SeenAttempt[]> {
    const rows = await this.#options.sql`
      SELECT * FROM attempts WHERE workspace_id = ${id} ORDER BY no`;
    return rows.map((row) => {
      const detail = row.detail as { sentence: string; absorbed: string[] };
      return {
        no: Number(row.no),
        reason: String(row.reason),
        outcome: row.outcome === null ? null : String(row.outcome),
        snapGen: row.snap_gen === null ? null : Number(row.snap_gen),
        actor: String(row.actor_name),
        sentence: detail.sentence,
        absorbed: detail.absorbed,
        stages: (row.stages as { stage: string }[]).map((mark) => mark.stage),
      };
    });
  }

  async events(
    id: string,
  ): Promise<readonly { event: string; payload: Record<string, unknown> }[]> {
    const rows = await this.#options.sql`
      SELECT event, payload FROM events WHERE subject_id = ${id} ORDER BY id`;
    return rows.map((row) => ({
      event: String(row.event),
      payload: row.payload as Record<string, unknown>,
    }));
  }
}
