import { changeGlobalSecret } from "@molecule/db/secrets/change-global-secret";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import { FAILPOINTS } from "../../runtime/failpoint.ts";
import { ADA } from "../fake-platform.ts";
import { refusedByMachine, until, useRestartBed } from "../restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, gate, phaseIs, isReady, isAtRest, loseLease, attemptOf } = bed;
const never = new AbortController().signal;
/** Nothing is renewed in a test's time: a worker does not learn that it has lost its lease. */
const DEAF = { leaseMs: 600_000 };

it("I3 a write that the snapshot waits for is in the snapshot", async () => {
  const platform = open();
  const commit = gate();
  let isWriting = false;
  let written: Promise<unknown> = Promise.resolve();
  platform.startWorker(async (name) => {
    if (name !== "before_snapshot" || isWriting || (await platform.see(id)).attempt !== 2) return;
    isWriting = true;
    let isHeld = false;
    written = bed.sql.begin(async (tx) => {
      await tx`SELECT 1 FROM workspaces WHERE id = ${id} FOR NO KEY UPDATE`;
      isHeld = true;
      await commit.wait();
      await tx`UPDATE workspaces SET desired_gen = desired_gen + 1 WHERE id = ${id}`;
      await tx`UPDATE managed_files SET content = 'late', gen = 3, sha256 = 'late'
        WHERE workspace_id = ${id} AND path = 'a.md'`;
    });
    await until("the writer has the row", () => isHeld);
  });
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  await platform.writeFiles(id, { "a.md": "early" });
  await until("the snapshot waits for the writer", async () => {
    const rows = await bed.sql`
      SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND query LIKE 'select %from "workspaces"%'`;
    return rows.length > 0;
  });
  commit.open();
  await written;
  await isReady(platform, id, 2);
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({ desired: 3, applied: 3, attempt: 2 });
  const file = platform.backend.running()[0]?.spec.files.find(({ path }) => path === "a.md");
  expect(new TextDecoder().decode(file?.content)).toBe("late");
});

it.each([
  ["I17 a global secret changed just before", "before_snapshot", 2],
  ["I17 a global secret changed just after", "after_snapshot", 3],
] as const)("%s a snapshot reaches every agent", async (_name, place, attempt) => {
  const platform = open();
  let isChanged = false;
  const change = (value: string) =>
    bed.database.db.transaction(async (tx) => {
      await changeGlobalSecret(tx, platform.sources.cipher, {
        actor: ADA,
        key: "API_KEY",
        value,
        settle: DEFAULT_SETTLE_SETTINGS,
      });
    });
  await change("old");
  platform.startWorker(async (name) => {
    if (name !== place || isChanged || (await platform.see(id)).attempt !== 2) return;
    isChanged = true;
    await change("new");
    await later(4_000);
  });
  const id = await platform.createWorkspace();
  const other = await platform.createWorkspace();
  for (const one of [id, other]) await isReady(platform, one, 1);
  await platform.click(id);
  await isReady(platform, id, attempt);
  await isReady(platform, other, 2);
  for (const one of [id, other]) {
    await isAtRest(platform, one);
    const seen = await platform.see(one);
    expect(seen.applied).toBe(seen.desired);
    const running = platform.backend.running().filter(({ workspaceId }) => workspaceId === one);
    expect(running.map(({ spec }) => spec.env.API_KEY)).toEqual(["new"]);
  }
});

describe("a backend that fails", () => {
  it("I29 with a 5xx thrice and then stops: nothing is created beside the old one", async () => {
    const platform = open({ settings: { stepRetryScale: 0.02 } });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    let left = 3;
    let most = 0;
    platform.backend.before("remove", () => {
      left -= 1;
      if (left >= 0) throw new Error("500");
    });
    platform.backend.before("create", () => {
      most = Math.max(most, platform.backend.running().length);
    });
    await platform.click(id);
    await isReady(platform, id, 2);
    expect(left).toBeLessThan(0);
    expect(most).toBe(0);
    expect(platform.backend.created).toHaveLength(2);
  });

  it("I30 an instance that is gone already, or is being removed, is a success", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.backend.remove({ workspaceId: id, attemptNo: 1 }, never);
    await platform.click(id);
    await isReady(platform, id, 2);
    expect((await platform.see(id)).failure).toBeNull();
  });

  it("I31 a creation whose answer is lost is found again and not made twice", async () => {
    const platform = open({ settings: { stepRetryScale: 0.02 } });
    const { backend } = platform;
    const create = backend.create.bind(backend);
    let lost = 0;
    backend.create = async (spec, signal) => {
      const made = await create(spec, signal);
      lost += 1;
      if (lost <= 2) throw refusedByMachine(true);
      return made;
    };
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    expect(lost).toBe(3);
    expect(backend.created).toHaveLength(1);
  });

  it("I32 an instance whose worker was killed before it recorded it is adopted", async () => {
    const platform = open({ settings: DEAF });
    const dead = gate();
    let isCaught = false;
    platform.startWorker(async (name) => {
      if (name !== "after_create" || isCaught) return;
      isCaught = true;
      await dead.wait();
      throw new Error("killed");
    });
    const id = await platform.createWorkspace();
    await until("the instance is made", () => isCaught);
    await loseLease(id);
    platform.startWorker();
    await isReady(platform, id, 1);
    expect(platform.backend.created).toHaveLength(1);
  });

  it("I33 a creation is repeated with the token of the first try", async () => {
    const platform = open({ settings: { stepRetryScale: 0.02 } });
    const { backend } = platform;
    const create = backend.create.bind(backend);
    const tokens: string[] = [];
    backend.create = async (spec, signal) => {
      tokens.push(spec.createToken);
      if (tokens.length <= 2) throw refusedByMachine(true);
      return await create(spec, signal);
    };
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
  });

  it("I34 what a creation makes after the deletion is swept, with its folders", async () => {
    const platform = open({ settings: DEAF });
    const late = gate();
    let isHeld = false;
    platform.startWorker(async (name) => {
      if (name !== "before_create" || isHeld) return;
      isHeld = true;
      await late.wait();
    });
    const id = await platform.createWorkspace();
    await until("the creation is held up", () => isHeld);
    await platform.intent(id, "delete");
    await loseLease(id);
    platform.startWorker();
    await phaseIs(platform, id, "DELETED");
    late.open();
    await until("it is created late", () => platform.backend.running().length === 1);
    const sweeper = platform.startSweeper();
    await until("nothing is left", async () => {
      await sweeper.sweep(never);
      return (await platform.backend.list()).length === 0;
    });
    expect(await platform.backend.readConfigs(id)).toBeNull();
  });
});

describe("a worker that wakes too late", () => {
  it.each([
    "after_begin",
    "before_stop",
    "after_stop",
    "before_snapshot",
    "after_snapshot",
    "before_create",
    "after_create",
    "after_created",
  ] as const)("I37 at %s: it changes nothing that has moved on", async (place) => {
    const platform = open({ settings: DEAF });
    const asleep = gate();
    let isHeld = false;
    platform.startWorker(async (name) => {
      if (name !== place || isHeld || (await platform.see(id)).attempt !== 2) return;
      isHeld = true;
      await asleep.wait();
    });
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "a.md": "1" });
    await until("it sleeps", () => isHeld);
    await loseLease(id);
    // What it was working on is superseded while it sleeps.
    platform.startWorker();
    await isReady(platform, id, 2);
    await platform.writeFiles(id, { "a.md": "2" });
    await isReady(platform, id, 3);
    asleep.open();
    await isAtRest(platform, id);
    const sweeper = platform.startSweeper();
    await until("one instance is left", async () => {
      await sweeper.sweep(never);
      return (await platform.backend.list()).length === 1;
    });
    expect(platform.backend.running().map(({ attemptNo }) => attemptNo)).toEqual([3]);
    expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 3, applied: 3 });
    expect((await platform.attempts(id)).map(({ outcome }) => outcome)).toEqual([
      "ready",
      "ready",
      "ready",
    ]);
    const file = platform.backend.running()[0]?.spec.files.find(({ path }) => path === "a.md");
    expect(new TextDecoder().decode(file?.content)).toBe("2");
  });
});

describe("an exception in every step", () => {
  it.each(FAILPOINTS.filter((place) => place !== "before_release"))(
    "I54 at %s: nothing stays stuck, and no other workspace is disturbed",
    async (place) => {
      const platform = open({ settings: { stepRetryScale: 0.02 } });
      const other = await platform.createWorkspace();
      const first = platform.startWorker();
      await isReady(platform, other, 1);
      await isAtRest(platform, other);
      await first.stop();
      const isOfStop = place === "before_stop" || place === "after_stop";
      let thrown = 0;
      platform.startWorker(async (name) => {
        if (name !== place || thrown > 0) return;
        if (isOfStop && (await platform.see(id)).attempt < 2) return;
        thrown += 1;
        throw new Error("vendor text with sk-secret");
      });
      const id = await platform.createWorkspace();
      if (isOfStop) {
        await isReady(platform, id, 1);
        await platform.click(id);
      }
      await until("it was thrown", () => thrown === 1);
      // A failed attempt waits ten seconds for the next.
      await later(11_000);
      await until("it runs", async () => {
        const seen = await platform.see(id);
        return (
          seen.phase === "READY" &&
          (await attemptOf(platform, id, seen.attempt))?.outcome === "ready"
        );
      });
      await isAtRest(platform, id);
      const seen = await platform.see(id);
      expect(seen).toMatchObject({ failure: null, applied: seen.desired });
      const unended = (await platform.attempts(id)).filter(({ outcome }) => outcome === null);
      expect(unended).toEqual([]);
      expect(await platform.see(other)).toMatchObject({ phase: "READY", attempt: 1 });
      expect(JSON.stringify(await platform.events(id))).not.toContain("vendor text");
      expect(platform.backend.running()).toHaveLength(2);
    },
  );
});

describe("sweeps", () => {
  it("I43 two sweepers at once remove the same leftover without a fault", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.click(id);
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    const [current] = platform.backend.running();
    if (current === undefined) throw new Error("an instance runs");
    await platform.backend.create({ ...current.spec, attemptNo: 1 }, never);
    const sweepers = [platform.startSweeper(), platform.startSweeper()];
    await Promise.all(sweepers.map((sweeper) => sweeper.sweep(never)));
    await until("the leftover is gone", async () => (await platform.backend.list()).length === 1);
    expect(platform.backend.running()[0]?.providerId).toBe(current.providerId);
    expect(await platform.beat(current)).toBe(200);
  });

  it("I44 what a sweeper has listed before an attempt began does not end that attempt", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await isAtRest(platform, id);
    const { backend } = platform;
    const list = backend.list.bind(backend);
    const acts = gate();
    let hasListed = false;
    backend.list = async () => {
      const listed = await list();
      if (!hasListed) {
        hasListed = true;
        await acts.wait();
      }
      return listed;
    };
    const sweeper = platform.startSweeper();
    const swept = sweeper.sweep(never);
    await until("it has listed", () => hasListed);
    await platform.click(id);
    await isReady(platform, id, 2);
    acts.open();
    await swept;
    await isAtRest(platform, id);
    expect(backend.running().map(({ attemptNo }) => attemptNo)).toEqual([2]);
    expect(await platform.beat({ workspaceId: id, attemptNo: 2 })).toBe(200);
    expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 2, crashCount: 0 });
  });

  it("I46 a database that was wiped is no reason to remove what runs all at once", async () => {
    const platform = open({ settings: { orphanGraceMs: 0 } });
    platform.startWorker();
    const ids = [];
    for (let count = 0; count < 6; count += 1) ids.push(await platform.createWorkspace());
    for (const id of ids) await isReady(platform, id, 1);
    await bed.sql`DELETE FROM workspaces`;
    await platform.startSweeper().sweep(never);
    expect(platform.backend.running()).toHaveLength(6);
  });
});

it("I55 250 workspaces that are due at once are served in turn by three workers", {
  timeout: 240_000,
}, async () => {
  const platform = open({ settings: { concurrency: 4 } });
  const ids: string[] = [];
  for (let count = 0; count < 250; count += 1) ids.push(await platform.createWorkspace());
  // All of them rest soon: what is measured is the turn, not the start.
  await bed.sql`UPDATE workspaces SET intent = 'paused'`;
  const due = await bed.sql`SELECT id FROM workspaces ORDER BY next_action_at, id`;
  const served = [0, 0, 0];
  for (const index of served.keys()) {
    platform.startWorker(async (name) => {
      if (name === "after_begin") served[index] = (served[index] ?? 0) + 1;
    });
  }
  const restless = () => bed.sql`SELECT 1 FROM workspaces WHERE phase <> 'PAUSED' LIMIT 1`;
  await waitUntil("all of them rest", async () => (await restless()).length === 0, {
    timeoutMs: 200_000,
    everyMs: 200,
  });
  const rested = await bed.sql`
    SELECT subject_id FROM events WHERE event = 'WORKSPACE_PAUSED' ORDER BY id`;
  const turn = new Map(rested.map((row, at) => [String(row.subject_id), at]));
  expect(turn.size).toBe(250);
  // Nobody is overtaken by more than those that are worked on at the same time, some rounds of them.
  const late = due.filter((row, at) => (turn.get(String(row.id)) ?? 250) > at + 3 * 4 * 5);
  expect(late).toEqual([]);
  expect(Math.min(...served)).toBeGreaterThan(0);
});
