import { recordWrite } from "@molecule/db/changes/record-write";
import { type Database, openDatabase } from "@molecule/db/database";
import { writeManagedFile } from "@molecule/db/files/managed-files";
import { recordObservation } from "@molecule/db/lifecycle/observe";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { expect, it, vi } from "vitest";
import { ADA } from "../fake-platform.ts";
import { useVirtualTime, type VirtualBed } from "./virtual-bed.fixture.ts";

const openBed = useVirtualTime();

/** Ready for the first attempt after a write at 0: stop, create and boot after its begin. */
const START_MS = 4_000 + 2_000 + 25_000;

/** Enters writes of one file each, at these times after the beginning. */
function enterWrites({ virtual, id, from }: VirtualBed, times: readonly number[]): void {
  for (const [index, at] of times.entries()) {
    virtual.agenda.add(from + at, async () => {
      await virtual.write(id, { kind: "file", paths: [`f${index}.md`] });
    });
  }
}

/** Runs until nothing happens any more: everything that was written is what the agent runs with. */
async function endsCurrent({ virtual, id }: VirtualBed, files: number): Promise<void> {
  await virtual.run();
  const seen = await virtual.platform.see(id);
  expect(seen).toMatchObject({ phase: "READY", applied: seen.desired });
  for (let index = 0; index < files; index += 1) {
    expect(virtual.runsWith(id, `f${index}.md`), `f${index}.md`).not.toBeNull();
  }
  expect(virtual.backend.running()).toHaveLength(1);
}

const BURST = Array.from({ length: 17 }, (_, n) => n * 3_500);

it("I9 17 writes in a minute are one restart after the last", async () => {
  const bed = await openBed();
  enterWrites(bed, BURST);
  await endsCurrent(bed, 17);
  expect(await bed.begun()).toEqual([16 * 3_500 + 15_000]);
});

it("I10 one more write at T+65 s is in the same restart", async () => {
  const bed = await openBed();
  enterWrites(bed, [...BURST, 65_000]);
  await endsCurrent(bed, 18);
  // The cap counts from the first write.
  expect(await bed.begun()).toEqual([75_000]);
});

it.each([
  ["just before the quiet ends", 14_999, 29_999],
  ["exactly when the quiet ends", 15_000, 30_000],
  ["just after the quiet has ended", 15_001, 15_000],
])("I11 a second write %s begins when the rule says", async (_when, gap, begins) => {
  const bed = await openBed();
  enterWrites(bed, [0, gap]);
  await endsCurrent(bed, 2);
  // At the very instant either may come first; both end with one restart that has both writes.
  const allowed = gap === 15_000 ? [15_000, begins] : [begins];
  expect(allowed.map((at) => [at])).toContainEqual(await bed.begun());
});

it.each([
  ["within the second quiet", 30_000, 60_000],
  ["after the second quiet", 30_001, 15_000 + START_MS],
])(
  "I11 a write while it boots, %s of the last one, begins when the rule says",
  async (_when, gap, second) => {
    const bed = await openBed();
    enterWrites(bed, [0, gap]);
    await endsCurrent(bed, 2);
    expect(await bed.begun()).toEqual([15_000, second]);
  },
);

it.each([74_999, 75_001])(
  "I11 the cap ends a stream that is never quiet, last write at %i ms",
  async (last) => {
    const bed = await openBed();
    const times = [0, 12_000, 24_000, 36_000, 48_000, 62_000, last];
    enterWrites(bed, times);
    await endsCurrent(bed, times.length);
    expect(await bed.begun()).toEqual([75_000]);
  },
);

it("I12 a stream of 16 minutes is two restarts", async () => {
  const every = (ms: number, untilMs: number) =>
    Array.from({ length: untilMs / ms + 1 }, (_, n) => n * ms);
  const bed = await openBed();
  const sixteen = every(12_000, 960_000);
  enterWrites(bed, sixteen);
  await endsCurrent(bed, sixteen.length);
  expect(await bed.begun()).toEqual([75_000, 990_000]);
});

it("I12 a stream longer than the hard limit is restarted at the limit", async () => {
  const bed = await openBed();
  const times = Array.from({ length: 101 }, (_, n) => n * 12_000);
  enterWrites(bed, times);
  await endsCurrent(bed, times.length);
  // The first restart left the write at 96 s pending: READY at 106 s, and 15 min count from there.
  const [first, second, ...others] = await bed.begun();
  expect([first, second]).toEqual([75_000, 96_000 + 900_000]);
  expect(others.length).toBeLessThanOrEqual(1);
});

it("I14 a key and a model from two API processes are one restart with both", async () => {
  const bed = await openBed();
  const { virtual, database, id, from } = bed;
  await using other = openedBeside(database.url);
  virtual.agenda.add(from, async () => {
    await Promise.all([
      virtual.write(id, { kind: "secret", paths: ["f0.md"] }),
      writeOn(other.db, id, "f1.md"),
    ]);
  });
  await endsCurrent(bed, 2);
  expect((await bed.begun()).length).toBe(1);
});

it("I15 of two editors of one version in two API processes one is told of the conflict", async () => {
  const bed = await openBed();
  await using other = openedBeside(bed.database.url);
  const edits = await Promise.allSettled([
    writeOn(bed.database.db, bed.id, "f0.md", 1),
    writeOn(other.db, bed.id, "f0.md", 1),
  ]);
  expect(edits.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(edits.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { code: "version_conflict" },
  });
  await endsCurrent(bed, 1);
  expect(await bed.virtual.platform.see(bed.id)).toMatchObject({ desired: 2, attempt: 2 });
});

it("I16 a write that is rolled back after its hint is no write and no restart", async () => {
  const bed = await openBed();
  const { virtual, database, id, from } = bed;
  virtual.agenda.add(from, async () => {
    const failing = database.db.transaction(async (tx) => {
      await recordWrite(tx, {
        workspaceId: id,
        actor: ADA,
        stream: "files",
        isBatch: true,
        changes: [{ kind: "file", name: "f0.md" }],
        settings: DEFAULT_SETTLE_SETTINGS,
      });
      throw new Error("the data could not be written");
    });
    await expect(failing).rejects.toThrow("could not be written");
  });
  await endsCurrent(bed, 0);
  expect(await virtual.platform.see(id)).toMatchObject({ desired: 1, attempt: 1 });
  expect(virtual.runsWith(id, "f0.md")).toBeNull();
});

it("I20 two clicks 10 ms apart are one attempt that answers for both", async () => {
  const bed = await openBed();
  const { virtual, id, from } = bed;
  const answers: unknown[] = [];
  for (const at of [0, 10]) {
    virtual.agenda.add(from + at, async () => {
      answers.push(await virtual.platform.click(id));
    });
  }
  await endsCurrent(bed, 0);
  expect(answers).toMatchObject([
    { kind: "begins", attempt: 2 },
    { kind: "absorbed", attempt: 2 },
  ]);
  expect(await bed.begun()).toEqual([0]);
});

it("I21 a click, a write and a crash at once are one attempt with the write", async () => {
  const bed = await openBed();
  const { virtual, database, id, from } = bed;
  virtual.agenda.add(from, async () => {
    virtual.backend.crash({ workspaceId: id, attemptNo: 1 });
    const seen = { workspaceId: id, attemptNo: 1, kind: "exited", detail: "exit code 1" } as const;
    await Promise.all([
      recordObservation(database.db, seen),
      virtual.write(id, { kind: "file", paths: ["f0.md"] }),
      virtual.platform.click(id),
    ]);
  });
  await endsCurrent(bed, 1);
  expect((await bed.begun()).length).toBeLessThanOrEqual(2);
  const last = (await virtual.platform.attempts(id)).at(-1);
  expect(last).toMatchObject({ reason: "user", outcome: "ready", snapGen: 2 });
});

it("I23 a boot of five minutes with two probes a second is one attempt", async () => {
  const bed = await openBed({ bootMs: 300_000 });
  const { virtual, database, id, from } = bed;
  enterWrites(bed, [0]);
  for (let at = 500; at < 330_000; at += 500) {
    virtual.agenda.add(from + at, async () => {
      if (virtual.upAttempt(id) !== null) return;
      const attemptNo = virtual.attemptUnderWay(id);
      const seen = { workspaceId: id, attemptNo, kind: "unreachable", detail: null } as const;
      expect(await recordObservation(database.db, seen)).toBe(false);
    });
  }
  await endsCurrent(bed, 1);
  expect(await bed.begun()).toEqual([15_000]);
});

it("I25 a beat of the old instance after the new one is ready changes nothing", async () => {
  const bed = await openBed();
  const { virtual, database, id, from } = bed;
  enterWrites(bed, [0]);
  await endsCurrent(bed, 1);
  expect(await virtual.platform.beat({ workspaceId: id, attemptNo: 1 }, 3)).toBe(409);
  const [row] = await database.sql`
    SELECT attempt_no::int, active_tasks FROM liveness WHERE workspace_id = ${id}`;
  expect(row).toEqual({ attempt_no: 2, active_tasks: 0 });
  await virtual.run(from + 3_600_000);
  expect(await virtual.platform.see(id)).toMatchObject({ phase: "READY", attempt: 2, applied: 2 });
});

it.each([5, -5])(
  "I42 a worker whose clock is %i minutes wrong works by the database's",
  async (minutes) => {
    const bed = await openBed();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + minutes * 60_000 });
    try {
      enterWrites(bed, [0, 40_000]);
      await endsCurrent(bed, 2);
    } finally {
      vi.useRealTimers();
    }
    expect(await bed.begun()).toEqual([15_000, 55_000]);
  },
);

/** The pool of one more API process. */
function openedBeside(url: string) {
  const db = openDatabase({ url, applicationName: "second API process" });
  return { db, [Symbol.asyncDispose]: () => db.close() };
}

/** A write as another process makes it; of a setting when it names the version it is based on. */
async function writeOn(db: Database, workspaceId: string, path: string, version?: number) {
  const isSetting = version !== undefined;
  return await db.transaction(async (tx) => {
    const { generation } = await recordWrite(tx, {
      workspaceId,
      actor: ADA,
      stream: isSetting ? "settings" : "files",
      isBatch: false,
      changes: [{ kind: isSetting ? "setting" : "file", name: path }],
      ...(isSetting ? { expectedConfigVersion: version } : {}),
      settings: DEFAULT_SETTLE_SETTINGS,
    });
    const content = new TextEncoder().encode(String(generation));
    await writeManagedFile(tx, { workspaceId, path, content, generation, actorName: ADA.name });
  });
}
