import { setTimeout as delay, setImmediate as nextTick } from "node:timers/promises";
import { recordWrite } from "@molecule/db/changes/record-write";
import type { Database } from "@molecule/db/database";
import { WORK_CHANNEL } from "@molecule/db/events/append-event";
import { writeManagedFile } from "@molecule/db/files/managed-files";
import type { ChangeKind } from "@molecule/domain/sets";
import type { InstanceKey, InstanceSpec } from "../provisioning/compute-backend.ts";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import { Agenda } from "./agenda.fixture.ts";
import { ADA, FakePlatform, type PlainSql } from "./fake-platform.ts";
import type { RestartSettings } from "./settings.ts";

/** How long the machine takes for one attempt, in ms of the virtual time. */
export interface Pace {
  /** Ending the instance of the attempt before. */
  readonly stopMs: number;
  readonly createMs: number;
  /** From the end of the creation to the first beat; null: it never beats. */
  readonly bootMs: number | null;
}

/** Ends what waits in the virtual time when the platform is closed. */
class TimeIsOver extends Error {}

interface Sleeper {
  readonly workspaceId: string;
  readonly end: (error?: Error) => void;
  /** Its worker was killed: the call never comes back. */
  isDead: boolean;
}

/** Virtual time begins here; far from any real clock, so that a mixture of both is seen. */
const EPOCH = Date.parse("2031-01-01T00:00:00Z");
/** Longer than any scenario, and short enough for a timer: renewals would be in real time. */
const ENDLESS_LEASE_MS = 1_000_000_000;
/** Of the real time: between two looks whether the workers have done what is due. */
const LOOK_AGAIN_MS = 2;
/** The time that a killed worker's lease has left, at most. */
const LEASE_MS = 15_000;

/** A write as scenarios make it. */
export interface VirtualWrite {
  readonly kind: Extract<ChangeKind, "file" | "secret">;
  /** More than one: a save of all of them at once. */
  readonly paths: readonly string[];
}

/** The fake backend, taking the virtual time that the pace says. */
class SlowBackend extends FakeBackend {
  readonly #platform: VirtualPlatform;

  constructor(platform: VirtualPlatform) {
    super();
    this.#platform = platform;
  }

  /** The instance exists when half of the time is over; what is killed later has made it. */
  override async create(spec: InstanceSpec, signal: AbortSignal) {
    const half = this.#platform.paceOf(spec).createMs / 2;
    await this.#platform.sleep(spec.workspaceId, half, signal);
    const isNew = (await super.inspect(spec)) === null;
    const made = await super.create(spec, signal);
    if (isNew) this.#platform.hasCreated(spec, half);
    await this.#platform.sleep(spec.workspaceId, half, signal);
    return made;
  }

  override async remove(key: InstanceKey, signal: AbortSignal) {
    this.#platform.isStopping(key);
    const { stopMs } = this.#platform.paceOf({ ...key, attemptNo: key.attemptNo + 1 });
    await this.#platform.sleep(key.workspaceId, stopMs, signal);
    await super.remove(key, signal);
  }
}

/**
 * The real reconciler on a real database whose clock stands still until everything that is due has been
 * done, and then jumps to the next thing that happens. Hours pass in seconds, and the same seed is the
 * same run.
 */
export class VirtualPlatform {
  readonly platform: FakePlatform;
  readonly backend: SlowBackend;
  readonly agenda = new Agenda();
  /** Called when the instance of an attempt begins to end. */
  onStop: (key: InstanceKey) => void = () => undefined;
  /** Called when the agent of an attempt has beaten for the first time. */
  onLive: (key: InstanceKey) => void = () => undefined;
  readonly #db: Database;
  readonly #sql: PlainSql;
  readonly #pace: (key: InstanceKey) => Pace;
  readonly #sleepers = new Set<Sleeper>();
  readonly #deadLeases = new Set<string>();
  readonly #up = new Map<string, number>();
  readonly #lastCreated = new Map<string, number>();
  #now = 0;

  constructor(options: {
    readonly db: Database;
    readonly sql: PlainSql;
    readonly pace: (key: InstanceKey) => Pace;
    readonly settings?: Partial<RestartSettings>;
  }) {
    this.#db = options.db;
    this.#sql = options.sql;
    this.#pace = options.pace;
    this.backend = new SlowBackend(this);
    this.platform = new FakePlatform({
      db: options.db,
      sql: options.sql,
      backend: this.backend,
      agentsBeat: false,
      settings: {
        leaseMs: ENDLESS_LEASE_MS,
        pollMs: 200,
        concurrency: 10_000,
        ...options.settings,
      },
    });
    const { lifecycle } = this.platform.settings;
    // Looking at a starting instance says nothing here, and would be most of the work.
    Object.assign(this.platform.settings, { lifecycle: { ...lifecycle, bootPollMs: 120_000 } });
  }

  /** Ms of virtual time since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** Makes the database's clock stand still at the beginning, for good. */
  async freeze(): Promise<void> {
    await this.#sql`CREATE TABLE virtual_clock (at timestamptz NOT NULL)`;
    await this.#sql`INSERT INTO virtual_clock VALUES (${new Date(EPOCH)})`;
    await this.#sql`
      CREATE OR REPLACE FUNCTION cp_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
      $$ SELECT at FROM virtual_clock LIMIT 1 $$`;
  }

  /** Starts one more worker; it works when the time is run. */
  async startWorker(): Promise<void> {
    await this.platform.startWorker().listen();
  }

  /** Ends everything; calls that wait fail. */
  async close(): Promise<void> {
    const ended = this.platform.stop();
    for (;;) {
      for (const sleeper of [...this.#sleepers]) sleeper.end(new TimeIsOver("closed"));
      const isEnded = await Promise.race([ended.then(() => true), nextTick(false)]);
      if (isEnded) return;
    }
  }

  /** Runs the time until nothing happens any more, or up to `until`. */
  async run(until = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      const due = await this.#quiet();
      const next = Math.min(
        due ?? Number.POSITIVE_INFINITY,
        this.agenda.nextAt ?? Number.POSITIVE_INFINITY,
      );
      if (next > until) {
        if (Number.isFinite(until)) await this.#jump(until);
        return;
      }
      if (next === Number.POSITIVE_INFINITY) return;
      await this.#jump(next);
      for (const { run } of this.agenda.takeUpTo(next)) await run();
    }
  }

  /** Saves files, or settings, whose text is the generation that carries them. */
  async write(workspaceId: string, write: VirtualWrite): Promise<number> {
    return await this.#db.transaction(async (tx) => {
      const { generation } = await recordWrite(tx, {
        workspaceId,
        actor: ADA,
        stream: write.kind === "file" ? "files" : "settings",
        isBatch: write.paths.length > 1,
        changes: write.paths.map((name) => ({ kind: write.kind, name })),
        settings: this.platform.settings.lifecycle.settle,
      });
      const content = new TextEncoder().encode(String(generation));
      for (const path of write.paths) {
        const file = { path, content, generation, actorName: ADA.name };
        await writeManagedFile(tx, { workspaceId, ...file });
      }
      return generation;
    });
  }

  /** Kills whatever works on the workspace now: its call never comes back, its lease runs out. */
  kill(workspaceId: string): void {
    const busy = this.#alive().filter((one) => one.workspaceId === workspaceId);
    if (busy.length === 0) return;
    for (const one of busy) one.isDead = true;
    this.#deadLeases.add(workspaceId);
    this.agenda.add(this.#now + LEASE_MS, async () => {
      this.#deadLeases.delete(workspaceId);
      await this.#sql`
        UPDATE workspaces SET lease_owner = NULL, lease_until = NULL, lease_epoch = lease_epoch + 1
        WHERE id = ${workspaceId}`;
    });
  }

  /** The attempt whose agent answers; null while none does. */
  upAttempt(workspaceId: string): number | null {
    return this.#up.get(workspaceId) ?? null;
  }

  /** The attempt that a probe would be about while nothing answers. */
  attemptUnderWay(workspaceId: string): number {
    const last = this.#lastCreated.get(workspaceId) ?? 0;
    const isBooting = this.backend
      .running()
      .some((one) => one.workspaceId === workspaceId && one.attemptNo === last);
    return isBooting ? last : last + 1;
  }

  /** When each attempt began, in ms of virtual time, from the first. */
  async begunAt(workspaceId: string): Promise<readonly number[]> {
    const rows = await this.#sql`
      SELECT created_at FROM attempts WHERE workspace_id = ${workspaceId} ORDER BY no`;
    return rows.map((row) => (row.created_at as Date).getTime() - EPOCH);
  }

  /** What the running instance was started with at `path`; null without one. */
  runsWith(workspaceId: string, path: string): string | null {
    const instance = this.backend.running().findLast((one) => one.workspaceId === workspaceId);
    const file = instance?.spec.files.find((one) => one.path === path);
    return file === undefined ? null : new TextDecoder().decode(file.content);
  }

  /** The pace of an attempt. */
  paceOf(key: InstanceKey): Pace {
    return this.#pace(key);
  }

  /** Resolves when so much virtual time has passed. */
  async sleep(workspaceId: string, ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0) return;
    await new Promise<void>((resolve, reject) => {
      const sleeper: Sleeper = {
        workspaceId,
        isDead: false,
        end: (error) => {
          this.#sleepers.delete(sleeper);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", () => sleeper.end(new TimeIsOver("aborted")));
      this.agenda.add(this.#now + ms, () => {
        if (!sleeper.isDead) sleeper.end();
      });
    });
  }

  /** The backend begins to end an instance. */
  isStopping(key: InstanceKey): void {
    if (this.#up.get(key.workspaceId) === key.attemptNo) this.#up.delete(key.workspaceId);
    this.onStop(key);
  }

  /** The backend has made an instance whose creation lasts `leftMs` more. */
  hasCreated(key: InstanceKey, leftMs: number): void {
    this.#lastCreated.set(key.workspaceId, key.attemptNo);
    const { bootMs } = this.paceOf(key);
    if (bootMs === null) return;
    this.agenda.add(this.#now + leftMs + bootMs, async () => {
      if (this.backend.running().every((one) => !isSame(one, key))) return;
      if ((await this.platform.beat(key)) !== 200) return;
      this.#up.set(key.workspaceId, key.attemptNo);
      this.onLive(key);
    });
  }

  #alive(): readonly Sleeper[] {
    return [...this.#sleepers].filter((one) => !one.isDead);
  }

  async #jump(to: number): Promise<void> {
    this.#now = to;
    await this.#sql`UPDATE virtual_clock SET at = ${new Date(EPOCH + to)}`;
  }

  /** Resolves when nothing is due and whoever works waits for the time: with when something is due next. */
  async #quiet(): Promise<number | null> {
    for (;;) {
      const [row] = await this.#sql`
        SELECT array_agg(id::text) FILTER (WHERE lease_owner IS NOT NULL) AS held,
          count(*) FILTER (WHERE lease_owner IS NULL AND next_action_at <= cp_now())::int AS due,
          min(next_action_at) FILTER (WHERE lease_owner IS NULL AND next_action_at > cp_now()) AS next
        FROM workspaces`;
      const asleep = new Set(this.#alive().map((one) => one.workspaceId));
      const held = (row?.held as string[] | null) ?? [];
      const isBusy = held.some((id) => !asleep.has(id) && !this.#deadLeases.has(id));
      if (row?.due === 0 && !isBusy) {
        return row.next === null ? null : (row.next as Date).getTime() - EPOCH;
      }
      if (row?.due !== 0) await this.#sql`SELECT pg_notify(${WORK_CHANNEL}, '')`;
      await delay(LOOK_AGAIN_MS);
    }
  }
}

function isSame(a: InstanceKey, b: InstanceKey): boolean {
  return a.workspaceId === b.workspaceId && a.attemptNo === b.attemptNo;
}
