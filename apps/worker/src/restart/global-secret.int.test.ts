import { changeGlobalSecret } from "@molecule/db/secrets/change-global-secret";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { expect, it } from "vitest";
import { ADA, type FakePlatform } from "./fake-platform.ts";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, isReady, isAtRest, phaseIs, attemptOf } = bed;

/** Longer than the quiet that a second change of the same stream needs. */
const SETTLED_MS = 11_000;

const change = (platform: FakePlatform, key: string, value: string | null) =>
  bed.database.db.transaction((tx) =>
    changeGlobalSecret(tx, platform.sources.cipher, {
      actor: ADA,
      key,
      value,
      settle: DEFAULT_SETTLE_SETTINGS,
    }),
  );
const envOf = (platform: FakePlatform, id: string) =>
  platform.backend.running().find(({ workspaceId }) => workspaceId === id)?.spec.env ?? {};

it("SE1 SE3 restarts exactly those whose environment it changes, once, and says who changed what", async () => {
  const platform = open();
  platform.startWorker();
  const [one, two, own] = [
    await platform.createWorkspace(),
    await platform.createWorkspace(),
    await platform.createWorkspace(),
  ];
  const all = [one, two, own];
  for (const id of all) await isReady(platform, id, 1);
  await platform.writeSecret(own, "SHARED", "own");
  await isReady(platform, own, 2);
  const attempts = async () =>
    await Promise.all(all.map(async (id) => (await platform.see(id)).attempt));
  const settled = async () => {
    await later(SETTLED_MS);
    for (const id of all) await isAtRest(platform, id);
  };

  const first = await change(platform, "SHARED", "one");
  expect(first).toEqual({ kind: "changed", affected: [one, two].sort() });
  await later(SETTLED_MS);
  for (const id of [one, two]) {
    await isReady(platform, id, 2);
    expect(envOf(platform, id).SHARED).toBe("one");
    expect(await attemptOf(platform, id, 2)).toMatchObject({
      reason: "secret",
      actor: "Ada",
      sentence: "SHARED changed by Ada",
    });
  }
  await settled();
  expect(await attempts()).toEqual([2, 2, 2]);
  expect(envOf(platform, own).SHARED).toBe("own");

  // The same value, and a name that the platform decides, restart nobody.
  expect(await change(platform, "SHARED", "one")).toEqual({ kind: "identical", affected: [] });
  expect(await change(platform, "PORT", "1")).toMatchObject({ affected: [] });
  await settled();
  expect(await attempts()).toEqual([2, 2, 2]);

  // Several changes at once are one restart.
  await change(platform, "SHARED", "two");
  await change(platform, "SECOND", "x");
  await change(platform, "SHARED", "three");
  await later(SETTLED_MS);
  await isReady(platform, own, 3);
  await settled();
  expect(await attempts()).toEqual([3, 3, 3]);
  expect(envOf(platform, one)).toMatchObject({ SHARED: "three", SECOND: "x" });
  expect(envOf(platform, own)).toMatchObject({ SHARED: "own", SECOND: "x" });

  // What is removed restarts those that had it.
  expect(await change(platform, "SHARED", null)).toMatchObject({ affected: [one, two].sort() });
  expect(await change(platform, "ABSENT", null)).toEqual({ kind: "absent", affected: [] });
  await later(SETTLED_MS);
  await isReady(platform, one, 4);
  await settled();
  expect(await attempts()).toEqual([4, 4, 3]);
  expect(envOf(platform, two)).not.toHaveProperty("SHARED");
});

it("R30 a missing key begins no attempt, and the organisation's starts all that need it", async () => {
  const platform = open();
  platform.startWorker();
  const needing = [
    await platform.createWorkspace({ requiredEnv: ["API_KEY"] }),
    await platform.createWorkspace({ requiredEnv: ["API_KEY"] }),
  ];
  for (const id of needing) {
    await phaseIs(platform, id, "FAILED");
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({
      attempt: 0,
      failure: { code: "missing_required_key", missing: ["API_KEY"] },
    });
  }
  expect(await platform.attempts(needing[0] ?? "")).toEqual([]);
  expect(platform.backend.created).toEqual([]);
  await change(platform, "API_KEY", "here");
  await later(SETTLED_MS);
  for (const id of needing) {
    await isReady(platform, id, 1);
    expect(await attemptOf(platform, id, 1)).toMatchObject({
      reason: "secret",
      sentence: "API_KEY changed by Ada",
    });
  }
});

it("R31 what runs and loses a key it needs runs on, says so, and starts anew when it is back", async () => {
  const platform = open();
  platform.startWorker();
  await change(platform, "API_KEY", "one");
  const id = await platform.createWorkspace({ requiredEnv: ["API_KEY"] });
  await isReady(platform, id, 1);
  await isAtRest(platform, id);
  await change(platform, "API_KEY", null);
  await later(SETTLED_MS);
  await until("it says so", async () => (await platform.see(id)).failure !== null);
  const seen = await platform.see(id);
  expect(seen).toMatchObject({ phase: "READY", attempt: 1, failure: { missing: ["API_KEY"] } });
  expect(envOf(platform, id).API_KEY).toBe("one");
  // A click is answered by the same, and ends nothing either.
  await platform.click(id);
  await isAtRest(platform, id);
  await later(120_000);
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 1 });
  await change(platform, "API_KEY", "two");
  await later(SETTLED_MS);
  await isReady(platform, id, 2);
  expect(envOf(platform, id).API_KEY).toBe("two");
  expect((await platform.see(id)).failure).toBeNull();
});

it("SE6 a value of an unknown version starts nothing, is told by one fixed sentence, and is healed by a new one", async () => {
  const platform = open();
  const id = await platform.createWorkspace();
  await platform.writeSecret(id, "A_KEY", "one");
  await bed.sql`ALTER TABLE workspace_secrets DROP CONSTRAINT workspace_secret_version_known`;
  await bed.sql`UPDATE workspace_secrets SET encryption_version = 99 WHERE workspace_id = ${id}`;
  platform.startWorker();
  await phaseIs(platform, id, "FAILED");
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({
    attempt: 0,
    failure: {
      code: "secret_unreadable",
      sentence: "A stored secret of this agent cannot be read and has to be entered again.",
      missing: ["A_KEY"],
    },
  });
  expect(platform.backend.created).toEqual([]);
  await bed.sql`DELETE FROM workspace_secrets WHERE workspace_id = ${id}`;
  await platform.writeSecret(id, "A_KEY", "one");
  await later(SETTLED_MS);
  await isReady(platform, id, 1);
  expect(envOf(platform, id).A_KEY).toBe("one");
  await bed.sql`ALTER TABLE workspace_secrets ADD CONSTRAINT workspace_secret_version_known
    CHECK (encryption_version IN (0, 1, 2))`;
});
