import { loadNodes } from "@molecule/db/nodes/load-nodes";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { describe, expect, it } from "vitest";
import { BackendError } from "../provisioning/compute-backend.ts";
import type { FakePlatform } from "../restart/fake-platform.ts";
import { until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { toldActs, toldRules } from "./sweep-bed.fixture.ts";

const bed = useRestartBed();
const signal = new AbortController().signal;
const FENCE_AFTER_MS = 60_000;

function stubborn(code: "stop_failed" | "engine_unavailable"): BackendError {
  return new BackendError(
    { code, sentence: "A process of the agent does not end.", next: "Wait." },
    { isRetryable: true },
  );
}

async function openReady() {
  const platform = bed.open({
    settings: { fenceAfterMs: FENCE_AFTER_MS, stepRetryScale: 0.001, sweepEveryMs: 3_600_000 },
  });
  platform.startWorker();
  const sweeper = platform.startSweeper();
  const id = await platform.createWorkspace();
  await bed.isReady(platform, id, 1);
  await bed.isAtRest(platform, id);
  return { platform, id, pass: () => sweeper.sweep(signal) };
}

/** From now on every removal fails; counts them. */
function refuseToDie(platform: FakePlatform, code: "stop_failed" | "engine_unavailable") {
  const seen = { tries: 0, isOver: false };
  platform.backend.before("remove", () => {
    if (seen.isOver) return;
    seen.tries += 1;
    throw stubborn(code);
  });
  return seen;
}

async function waiting(id: string): Promise<number | undefined> {
  const [node] = await loadNodes(bed.database.db, { ids: [id], settle: DEFAULT_SETTLE_SETTINGS });
  return node?.waitingForRemoval;
}

async function toldOf(id: string) {
  return (await toldActs(bed)).filter(({ subjectId }) => subjectId === id);
}

describe("an instance that does not end", () => {
  it("I28 G11: is fenced after the fence time, and the next start goes on; it is shown until it is gone", async () => {
    const { platform, id, pass } = await openReady();
    const removal = refuseToDie(platform, "stop_failed");
    await platform.click(id);
    await until("the stop is repeated", () => removal.tries > 2);
    expect(await platform.see(id)).toMatchObject({ phase: "STOPPING", attempt: 2 });
    expect(platform.backend.created).toHaveLength(1);
    await bed.later(FENCE_AFTER_MS + 1_000);
    await bed.isReady(platform, id, 2);
    await bed.isAtRest(platform, id);
    expect(await waiting(id)).toBe(1);
    expect(await platform.beat({ workspaceId: id, attemptNo: 1 })).toBe(409);
    expect(platform.backend.running().map((one) => [one.attemptNo, one.address === null])).toEqual([
      [1, true],
      [2, false],
    ]);
    const [row] = await bed.sql`
      SELECT provider_addr FROM attempts WHERE workspace_id = ${id} AND no = 1`;
    expect(row?.provider_addr).toBeNull();
    expect(await toldOf(id)).toMatchObject([
      {
        action: "instance_fenced",
        rule: "G11",
        evidence: { attempt: 1, why: "A process of the agent does not end." },
      },
    ]);

    // The next restart does not try it again; the second attempt ends as it should.
    platform.backend.before("remove", () => {
      if (!platform.backend.running().some((one) => one.attemptNo === 2)) {
        throw stubborn("stop_failed");
      }
    });
    await platform.click(id);
    expect(await waiting(id)).toBe(1);
    await bed.isReady(platform, id, 3);
    expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([1, 3]);
    expect(await waiting(id)).toBe(1);
    await pass();
    expect(await waiting(id)).toBe(1);

    platform.backend.before("remove", null);
    await pass();
    expect(await waiting(id)).toBe(0);
    expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([3]);
    expect(await toldRules(bed, id)).toEqual(["G11", "G2"]);
  });

  it("G11: says nothing about an instance whose engine is away: the stop waits", async () => {
    const { platform, id } = await openReady();
    const removal = refuseToDie(platform, "engine_unavailable");
    await platform.click(id);
    await until("the stop is repeated", () => removal.tries > 0);
    await bed.later(FENCE_AFTER_MS + 1_000);
    const { tries } = removal;
    await until("it is repeated after the fence time", () => removal.tries > tries + 2);
    expect(await platform.see(id)).toMatchObject({ phase: "STOPPING", attempt: 2 });
    expect(await toldOf(id)).toEqual([]);
    removal.isOver = true;
    await bed.isReady(platform, id, 2);
  });

  it("G11: lets a workspace rest, and start anew, while it is waited for", async () => {
    const { platform, id, pass } = await openReady();
    const removal = refuseToDie(platform, "stop_failed");
    await platform.intent(id, "pause");
    await until("the stop is repeated", () => removal.tries > 0);
    await bed.later(FENCE_AFTER_MS + 1_000);
    await bed.phaseIs(platform, id, "PAUSED");
    expect(await waiting(id)).toBe(1);
    await platform.intent(id, "resume");
    await bed.isReady(platform, id, 2);
    expect(await waiting(id)).toBe(1);
    removal.isOver = true;
    await pass();
    expect(await waiting(id)).toBe(0);
    expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([2]);
  });

  it("G11: keeps a deletion waiting until it is gone", async () => {
    const { platform, id } = await openReady();
    const removal = refuseToDie(platform, "stop_failed");
    await platform.intent(id, "delete");
    await until("the stop is repeated", () => removal.tries > 0);
    await bed.later(FENCE_AFTER_MS + 1_000);
    const { tries } = removal;
    await until("it is repeated after the fence time", () => removal.tries > tries + 2);
    expect(await platform.see(id)).toMatchObject({ phase: "DELETING" });
    removal.isOver = true;
    await bed.phaseIs(platform, id, "DELETED");
    expect(await platform.backend.list()).toEqual([]);
  });

  it("G12: is noted as gone when it ends by itself", async () => {
    const { platform, id, pass } = await openReady();
    const removal = refuseToDie(platform, "stop_failed");
    await platform.click(id);
    await until("the stop is repeated", () => removal.tries > 0);
    await bed.later(FENCE_AFTER_MS + 1_000);
    await bed.isReady(platform, id, 2);
    await bed.isAtRest(platform, id);
    removal.isOver = true;
    await platform.backend.remove({ workspaceId: id, attemptNo: 1 }, signal);
    await pass();
    expect(await waiting(id)).toBe(0);
    expect(await toldRules(bed, id)).toEqual(["G11", "G12"]);
  });

  it("G11: is fenced by the sweep, too, when a late worker made it and nobody stops it", async () => {
    const { platform, id, pass } = await openReady();
    const first = platform.backend.running()[0]?.spec;
    await platform.click(id);
    await bed.isReady(platform, id, 2);
    await bed.isAtRest(platform, id);
    if (first === undefined) throw new Error("the first attempt was made");
    await platform.backend.create(first, signal);
    const removal = refuseToDie(platform, "stop_failed");
    await pass();
    expect(await toldOf(id)).toEqual([]);
    expect(await waiting(id)).toBe(1);
    await bed.later(FENCE_AFTER_MS + 1_000);
    await pass();
    await pass();
    expect((await toldOf(id)).map(({ rule }) => rule)).toEqual(["G11"]);
    removal.isOver = true;
    await pass();
    expect(await waiting(id)).toBe(0);
    expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([2]);
  });
});

it("I29 a stop that fails three times and then works is one removal and no fence", async () => {
  const { platform, id } = await openReady();
  let calls = 0;
  platform.backend.before("remove", () => {
    calls += 1;
    if (calls <= 3) throw stubborn("stop_failed");
  });
  await platform.click(id);
  await bed.isReady(platform, id, 2);
  expect(calls).toBe(4);
  expect(await toldOf(id)).toEqual([]);
  expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([2]);
});
