import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterEach } from "vitest";
import { type Pace, VirtualPlatform } from "../virtual-platform.fixture.ts";

/** A platform whose time the test runs, with one workspace that has run for an hour. */
export interface VirtualBed {
  readonly virtual: VirtualPlatform;
  readonly database: TestDatabase;
  readonly id: string;
  /** The virtual time at which the test begins. */
  readonly from: number;
  /** When the attempts after the first began, counted from there. */
  readonly begun: () => Promise<readonly number[]>;
}

/** Later than every timer of the first start. */
const PAUSE_MS = 3_600_000;
const AT_ONCE: Pace = { stopMs: 0, createMs: 0, bootMs: 0 };
/** Of every attempt but the first. */
const PACE: Pace = { stopMs: 4_000, createMs: 2_000, bootMs: 25_000 };

/** Registers the hooks of a test file; answers what opens a bed of its own for a test. */
export function useVirtualTime() {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
  }, 60_000);
  return async (over: Partial<Pace> = {}): Promise<VirtualBed> => {
    const database = await createTestDatabase();
    opened.push(() => database.close());
    const virtual = new VirtualPlatform({
      db: database.db,
      sql: database.sql,
      pace: ({ attemptNo }) => (attemptNo === 1 ? AT_ONCE : { ...PACE, ...over }),
    });
    opened.unshift(() => virtual.close());
    await virtual.freeze();
    await virtual.startWorker();
    const id = await virtual.platform.createWorkspace();
    await virtual.run();
    await virtual.run(virtual.now + PAUSE_MS);
    const from = virtual.now;
    const begun = async () => (await virtual.begunAt(id)).slice(1).map((at) => at - from);
    return { virtual, database, id, from, begun };
  };
}
