import { randomUUID } from "node:crypto";
import {
  askLeave,
  decideHold,
  listHolds,
  pruneHolds,
  withdrawHold,
} from "@molecule/db/sweep/holds";
import type { HoldEvidence } from "@molecule/domain/sweep-hold";
import { describe, expect, it } from "vitest";
import { ADA, type FakePlatform } from "../restart/fake-platform.ts";
import { useRestartBed } from "../restart/restart-bed.fixture.ts";
import { makeOrphans, toldActs } from "./sweep-bed.fixture.ts";

const bed = useRestartBed();
const signal = new AbortController().signal;

/** A platform that sweeps when it is told to, and at once. */
function openSwept() {
  const platform = bed.open({ settings: { orphanGraceMs: 0, sweepEveryMs: 3_600_000 } });
  const sweeper = platform.startSweeper();
  return { platform, pass: () => sweeper.sweep(signal) };
}

const holds = () => listHolds(bed.database.db);

async function theHold() {
  const [hold, ...others] = await holds();
  if (hold === undefined || others.length > 0) throw new Error("exactly one question stands");
  return hold;
}

async function decide(id: string, to: "confirmed" | "dismissed") {
  await bed.database.db.transaction((tx) => decideHold(tx, { id, to, actor: ADA }));
}

function shown(evidence: HoldEvidence): readonly string[] {
  if (evidence.kind !== "removals") throw new Error("it is about removals");
  return evidence.removals.map((one) => one.providerId).sort();
}

function raise(): never {
  throw new Error("an instance was made");
}

const runningIds = (platform: FakePlatform) =>
  platform.backend
    .running()
    .map((one) => one.providerId)
    .sort();

describe("a sweep that would remove too much", () => {
  it("G5: asks once, with exactly what would be removed and since when, and removes nothing", async () => {
    const { platform, pass } = openSwept();
    const orphans = await makeOrphans(platform, 7);
    const before = (await toldActs(bed)).length;
    for (let n = 0; n < 3; n += 1) await pass();
    expect(platform.backend.running()).toHaveLength(7);
    const hold = await theHold();
    expect(hold).toMatchObject({ backend: "process", kind: "removals", state: "open" });
    expect(shown(hold.evidence)).toEqual(orphans.map((one) => one.providerId).sort());
    expect((await toldActs(bed)).slice(before)).toMatchObject([
      { action: "hold_opened", rule: "G5", evidence: { unwanted: 7, listed: 7 } },
    ]);
  });

  it("G8: removes exactly the confirmed set, tells each, and asks no more", async () => {
    const { platform, pass } = openSwept();
    const orphans = await makeOrphans(platform, 7);
    await pass();
    await decide((await theHold()).id, "confirmed");
    const before = (await toldActs(bed)).length;
    await pass();
    expect(platform.backend.running()).toHaveLength(0);
    const told = (await toldActs(bed)).slice(before);
    expect(told.map(({ action, rule }) => `${action} ${rule}`)).toEqual(
      Array.from({ length: 7 }, () => "instance_removed G3"),
    );
    expect(told.map(({ evidence }) => evidence.provider_id).sort()).toEqual(
      orphans.map((one) => one.providerId).sort(),
    );
    await pass();
    expect(await holds()).toEqual([]);
  });

  it("G8: a set that changed after it was confirmed is asked about anew, under another id", async () => {
    const { platform, pass } = openSwept();
    await makeOrphans(platform, 6);
    await pass();
    const first = await theHold();
    await decide(first.id, "confirmed");
    await makeOrphans(platform, 1);
    await pass();
    expect(platform.backend.running()).toHaveLength(7);
    const second = await theHold();
    expect(second.id).not.toBe(first.id);
    expect(second.state).toBe("open");
    expect(shown(second.evidence)).toEqual(runningIds(platform));
    await expect(decide(first.id, "confirmed")).rejects.toMatchObject({ code: "not_found" });
    await decide(second.id, "confirmed");
    await pass();
    expect(platform.backend.running()).toHaveLength(0);
  });

  it("G8: goes on with what is left of a confirmed set when removals fail half-way", async () => {
    const { platform, pass } = openSwept();
    await makeOrphans(platform, 14);
    await pass();
    await decide((await theHold()).id, "confirmed");
    let calls = 0;
    platform.backend.before("remove", () => {
      calls += 1;
      return calls % 2 === 0 ? Promise.reject(new Error("5xx")) : undefined;
    });
    await pass();
    expect(platform.backend.running()).toHaveLength(7);
    expect((await theHold()).state).toBe("confirmed");
    platform.backend.before("remove", null);
    await pass();
    expect(platform.backend.running()).toHaveLength(0);
  });

  it("G8: leaves a dismissed set alone, quietly, until it changes", async () => {
    const { platform, pass } = openSwept();
    await makeOrphans(platform, 7);
    await pass();
    await decide((await theHold()).id, "dismissed");
    const before = (await toldActs(bed)).length;
    for (let n = 0; n < 3; n += 1) await pass();
    expect(platform.backend.running()).toHaveLength(7);
    expect(await toldActs(bed)).toHaveLength(before);
    await makeOrphans(platform, 1);
    await pass();
    expect(await theHold()).toMatchObject({ state: "open" });
    expect(platform.backend.running()).toHaveLength(8);
  });

  it("asks no more when the instances went away by themselves", async () => {
    const { platform, pass } = openSwept();
    await makeOrphans(platform, 7);
    await pass();
    platform.backend.wipe();
    await pass();
    expect(await holds()).toEqual([]);
  });

  it("G5: does not count what was deleted by intent, and removes that in the same pass", async () => {
    const { platform, pass } = openSwept();
    await makeOrphans(platform, 7);
    const [{ spec } = raise()] = platform.backend.created;
    for (let n = 0; n < 7; n += 1) {
      const workspaceId = await platform.createWorkspace();
      await platform.backend.create({ ...spec, workspaceId, name: "deleted" }, signal);
    }
    await bed.sql`UPDATE workspaces SET intent = 'deleted'`;
    await bed.sql`UPDATE workspaces SET phase = 'DELETED', removed_at = cp_now()`;
    await pass();
    expect(platform.backend.running().map((one) => one.spec.name)).toEqual(
      Array.from({ length: 7 }, () => "nobody's"),
    );
    expect(shown((await theHold()).evidence)).toEqual(runningIds(platform));
  });

  it("is forgotten when no sweep has come upon it for a day, with every id in it", async () => {
    const { platform, pass } = openSwept();
    await makeOrphans(platform, 7);
    await pass();
    await bed.later(23 * 3_600_000);
    await pruneHolds(bed.database.db);
    expect(await holds()).toHaveLength(1);
    await bed.later(2 * 3_600_000);
    await pruneHolds(bed.database.db);
    expect(await holds()).toEqual([]);
  });

  it("I43 two sweepers at once ask one question and remove what is confirmed once", async () => {
    const { platform, pass } = openSwept();
    const other = platform.startSweeper();
    await makeOrphans(platform, 7);
    const before = (await toldActs(bed)).length;
    await Promise.all([pass(), other.sweep(signal)]);
    await Promise.all([pass(), other.sweep(signal)]);
    expect((await toldActs(bed)).slice(before).map(({ rule }) => rule)).toEqual(["G5"]);
    await decide((await theHold()).id, "confirmed");
    await Promise.all([pass(), other.sweep(signal)]);
    expect(platform.backend.running()).toHaveLength(0);
  });

  it("G8: eight sweepers that ask in the same moment ask once, and all find that question", async () => {
    const evidence: HoldEvidence = {
      kind: "removals",
      listed: 1,
      removals: [{ providerId: "p1", workspaceId: randomUUID(), attemptNo: 1, rule: "G3" }],
    };
    const before = (await toldActs(bed)).length;
    for (let round = 1; round <= 10; round += 1) {
      await withdrawHold(bed.database.db, "process", "removals");
      await Promise.all(
        Array.from({ length: 8 }, () =>
          bed.database.db.transaction((tx) => askLeave(tx, "process", evidence)),
        ),
      );
      await theHold();
      expect(await toldActs(bed)).toHaveLength(before + round);
    }
  });
});
