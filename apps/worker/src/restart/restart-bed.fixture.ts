import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll } from "vitest";
import { BackendError } from "../provisioning/compute-backend.ts";
import { FakePlatform, type FakePlatformOptions, type SeenAttempt } from "./fake-platform.ts";

/** Slow machines with other tests beside this one need it; nobody waits that long for a success. */
const WITHIN = { timeoutMs: 25_000 };

/** A place where somebody waits until the test opens it, once and for ever. */
export interface Gate {
  readonly open: () => void;
  readonly wait: () => Promise<void>;
}

/** One database for a test file, emptied after each test, with platforms on it and its own clock. */
export interface RestartBed {
  readonly database: TestDatabase;
  readonly sql: TestDatabase["sql"];
  /** A platform that is stopped after the test. */
  readonly open: (options?: Partial<FakePlatformOptions>) => FakePlatform;
  /** Moves the platform's clock forward, in ms; every test begins at the real time. */
  readonly later: (ms: number) => Promise<void>;
  /** A gate that is opened after the test at the latest. */
  readonly gate: () => Gate;
  readonly phaseIs: (platform: FakePlatform, id: string, phase: string) => Promise<true>;
  readonly isReady: (platform: FakePlatform, id: string, attempt: number) => Promise<true>;
  readonly isBooting: (platform: FakePlatform, id: string, attempt: number) => Promise<true>;
  /** Nothing is due and nobody works on it. */
  readonly isAtRest: (platform: FakePlatform, id: string) => Promise<true>;
  readonly attemptOf: (
    platform: FakePlatform,
    id: string,
    no: number,
  ) => Promise<SeenAttempt | undefined>;
  /** Takes the lease away, as it runs out under a process that was killed. */
  readonly loseLease: (id: string) => Promise<void>;
}

/** Waits with the patience of a test bed; what is waited for is named when it does not come. */
export async function until(what: string, probe: () => Promise<boolean> | boolean): Promise<true> {
  return await waitUntil<true>(what, async () => (await probe()) || null, WITHIN);
}

/** What a backend says that could not create. */
export function refusedByMachine(isRetryable: boolean): BackendError {
  return new BackendError(
    { code: "create_failed", sentence: "The machine said no.", next: "Wait." },
    { isRetryable },
  );
}

/** Registers the hooks of a test file and answers its bed. */
export function useRestartBed(): RestartBed {
  let database: TestDatabase | null = null;
  let skewMs = 0;
  const platforms: FakePlatform[] = [];
  const gates: (() => void)[] = [];
  const present = (): TestDatabase => {
    if (database === null) throw new Error("invariant: the bed is used within tests only");
    return database;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    for (const open of gates.splice(0)) open();
    for (const platform of platforms.splice(0)) await platform.stop();
    skewMs = 0;
    await present().setSkewMs(0);
    await present().sql`DELETE FROM workspaces`;
    await present().sql`DELETE FROM global_secrets`;
    await present().sql`DELETE FROM sweep_holds`;
    await present().sql`DELETE FROM backend_identities`;
  });
  afterAll(async () => {
    await database?.close();
  });

  return {
    get database() {
      return present();
    },
    get sql() {
      return present().sql;
    },
    open: (options = {}) => {
      const { db, sql } = present();
      const platform = new FakePlatform({ db, sql, ...options });
      platforms.push(platform);
      return platform;
    },
    later: async (ms) => {
      skewMs += ms;
      await present().setSkewMs(skewMs);
    },
    gate: () => {
      let open: () => void = () => undefined;
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      gates.push(open);
      return { open, wait: () => opened };
    },
    phaseIs: (platform, id, phase) =>
      until(`${id} is in ${phase}`, async () => (await platform.see(id)).phase === phase),
    isReady: (platform, id, attempt) =>
      until(`attempt ${attempt} of ${id} is ready`, async () => {
        const seen = await platform.see(id);
        return seen.phase === "READY" && seen.attempt === attempt;
      }),
    isBooting: (platform, id, attempt) =>
      until(`attempt ${attempt} of ${id} boots`, async () => {
        const seen = await platform.see(id);
        return seen.phase === "BOOTING" && seen.attempt === attempt;
      }),
    isAtRest: (_platform, id) =>
      until(`${id} is at rest`, async () => {
        const [row] = await present().sql`
          SELECT next_action_at IS NULL OR next_action_at > cp_now() AS idle, lease_owner
          FROM workspaces WHERE id = ${id}`;
        return row?.idle === true && row.lease_owner === null;
      }),
    attemptOf: async (platform, id, no) =>
      (await platform.attempts(id)).find((attempt) => attempt.no === no),
    loseLease: async (id) => {
      await present().sql`
        UPDATE workspaces SET lease_owner = NULL, lease_until = NULL, lease_epoch = lease_epoch + 1
        WHERE id = ${id}`;
    },
  };
}
