import { recordObservation } from "@molecule/db/lifecycle/observe";
import { expect, it } from "vitest";
import type { FakePlatform } from "../fake-platform.ts";
import { until, useRestartBed } from "../restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, gate, isReady, isBooting, isAtRest, phaseIs, loseLease } = bed;

const contentOf = (platform: FakePlatform, path: string) => {
  const file = platform.backend.running()[0]?.spec.files.find((one) => one.path === path);
  return file === undefined ? null : new TextDecoder().decode(file.content);
};

it.each([
  ["I1 a write committed just before", "before_snapshot", [1, 3], 2],
  ["I2 a write committed just after", "after_snapshot", [1, 2, 3], 3],
] as const)("%s the snapshot is what the agent runs with", async (_name, place, gens, last) => {
  const platform = open();
  let isWritten = false;
  platform.startWorker(async (name) => {
    if (name !== place || isWritten || (await platform.see(id)).attempt !== 2) return;
    isWritten = true;
    await platform.writeFiles(id, { "a.md": "late" });
  });
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  await platform.writeFiles(id, { "a.md": "early" });
  await isReady(platform, id, last);
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({ desired: 3, applied: 3, attempt: last });
  expect((await platform.attempts(id)).map((one) => one.snapGen)).toEqual(gens);
  expect(contentOf(platform, "a.md")).toBe("late");
});

it("I5 a write while the image is pulled rides along in the same attempt", async () => {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  const pulling = gate();
  let isPulling = false;
  platform.backend.before("prepare", async () => {
    isPulling = true;
    await pulling.wait();
  });
  await platform.writeFiles(id, { "a.md": "1" });
  await until("the image is pulled", () => isPulling);
  await platform.writeFiles(id, { "a.md": "2" });
  pulling.open();
  await isReady(platform, id, 2);
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({ desired: 3, applied: 3, attempt: 2 });
  expect(contentOf(platform, "a.md")).toBe("2");
});

it("I8 a write in the same tick as the first beat causes exactly one more attempt", async () => {
  const platform = open({ agentsBeat: false });
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isBooting(platform, id, 1);
  await Promise.all([
    platform.beat({ workspaceId: id, attemptNo: 1 }),
    platform.writeFiles(id, { "a.md": "1" }),
  ]);
  await isBooting(platform, id, 2);
  await platform.beat({ workspaceId: id, attemptNo: 2 });
  await isReady(platform, id, 2);
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2, attempt: 2 });
});

it("I22 probes through stop and create start nothing and leave no trace", async () => {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  const storm = async () => {
    for (let round = 0; round < 25; round += 1) {
      for (const attemptNo of [1, 2]) {
        const seen = { workspaceId: id, attemptNo, kind: "gone", detail: null } as const;
        expect(await recordObservation(bed.database.db, seen)).toBe(false);
      }
    }
  };
  const [stopping, creating] = [gate(), gate()];
  platform.backend.before("remove", stopping.wait);
  platform.backend.before("create", creating.wait);
  await platform.click(id);
  await phaseIs(platform, id, "STOPPING");
  await storm();
  stopping.open();
  await phaseIs(platform, id, "CREATING");
  await storm();
  creating.open();
  await isReady(platform, id, 2);
  await isAtRest(platform, id);
  expect((await platform.attempts(id)).map((one) => one.reason)).toEqual(["create", "user"]);
});

it("I24 what a probe saw of an attempt that was replaced meanwhile says nothing", async () => {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  await platform.click(id);
  await isReady(platform, id, 2);
  const late = { workspaceId: id, attemptNo: 1, kind: "exited", detail: null } as const;
  expect(await recordObservation(bed.database.db, late)).toBe(false);
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 2, crashCount: 0 });
});

it("I45 a backend that cannot be listed loses neither an instance nor a token", async () => {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  await isAtRest(platform, id);
  const sweeper = platform.startSweeper();
  platform.backend.before("list", () => Promise.reject(new Error("the engine is down")));
  await sweeper.sweep(new AbortController().signal);
  expect(platform.backend.running()).toHaveLength(1);
  expect(await platform.beat({ workspaceId: id, attemptNo: 1 })).toBe(200);
  expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 1 });
});

it("I50 what a late creation makes after the deletion is swept away", async () => {
  const platform = open();
  const creating = gate();
  let calls = 0;
  platform.backend.before("create", async () => {
    calls += 1;
    await creating.wait();
  });
  platform.startWorker();
  const id = await platform.createWorkspace();
  await until("the creation is under way", () => calls > 0);
  await loseLease(id);
  await platform.intent(id, "delete");
  platform.startWorker();
  await phaseIs(platform, id, "DELETED");
  creating.open();
  await until("the late instance was made", () => platform.backend.created.length === 1);
  platform.startSweeper();
  await until("nothing is left", async () => (await platform.backend.list()).length === 0);
  expect((await platform.see(id)).phase).toBe("DELETED");
});
