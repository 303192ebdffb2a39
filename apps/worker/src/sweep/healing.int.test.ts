import { hintProbe } from "@molecule/db/events/append-event";
import { decideHold, listHolds } from "@molecule/db/sweep/holds";
import { describe, expect, it } from "vitest";
import { ADA } from "../restart/fake-platform.ts";
import { until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { toldActs } from "./sweep-bed.fixture.ts";

const bed = useRestartBed();
const NO_ANSWER = async () => false;

/** Agents that run, seen once by a prober that is asked by the test alone. */
async function openProbed(count: number) {
  const platform = bed.open({ settings: { probeEveryMs: 3_600_000, sweepEveryMs: 3_600_000 } });
  platform.startWorker();
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push(await platform.createWorkspace());
  for (const id of ids) await bed.isReady(platform, id, 1);
  for (const id of ids) await bed.isAtRest(platform, id);
  const prober = platform.startProber(NO_ANSWER);
  await prober.probe();
  await prober.probe();
  return { platform, prober, ids };
}

it("a message that found nobody is enough to see that its agent has ended", async () => {
  const { platform, prober, ids } = await openProbed(1);
  const [id = ""] = ids;
  let rounds = 0;
  const list = platform.backend.list.bind(platform.backend);
  platform.backend.list = async () => {
    rounds += 1;
    return await list();
  };
  const unlisten = await prober.listen();
  // Who begins to listen looks once, for what was said before.
  await until("it has looked", () => rounds > 0);
  platform.backend.crash({ workspaceId: id, attemptNo: 1 });
  await hintProbe(bed.database.db);
  await bed.phaseIs(platform, id, "BACKOFF");
  await bed.later(11_000);
  await bed.isReady(platform, id, 2);
  expect(await bed.attemptOf(platform, id, 2)).toMatchObject({ reason: "crash" });
  await unlisten();
});

describe("an engine without any of our instances", () => {
  it("G7: is believed when it is the same engine: every agent comes back with its files and a new token", async () => {
    const { platform, prober, ids } = await openProbed(2);
    for (const id of ids) await platform.writeFiles(id, { "kept.md": `of ${id}` });
    for (const id of ids) await bed.isReady(platform, id, 2);
    for (const id of ids) await bed.isAtRest(platform, id);
    const tokens = new Set(platform.backend.running().map((one) => tokenOf(one.spec)));
    platform.backend.wipe();
    await prober.probe();
    await bed.later(11_000);
    for (const id of ids) {
      await bed.isReady(platform, id, 3);
      const files = await platform.backend.readConfigs(id);
      expect(new TextDecoder().decode(files?.get("kept.md"))).toBe(`of ${id}`);
    }
    for (const { spec } of platform.backend.running()) tokens.add(tokenOf(spec));
    expect(tokens.size).toBe(4);
    for (const id of ids) {
      expect(await platform.beat({ workspaceId: id, attemptNo: 2 })).toBe(409);
      expect(await platform.beat({ workspaceId: id, attemptNo: 3 })).toBe(200);
    }
  });

  it("G7: restarts nothing and says so when it is another one, until somebody confirms it", async () => {
    const { platform, prober, ids } = await openProbed(2);
    platform.backend.machine = "another machine";
    platform.backend.wipe();
    for (let n = 0; n < 3; n += 1) await prober.probe();
    for (const id of ids) {
      expect(await platform.see(id)).toMatchObject({
        phase: "READY",
        attempt: 1,
        health: "suspected_down",
        failure: { code: "engine_unavailable" },
      });
    }
    const [hold, ...others] = await listHolds(bed.database.db);
    expect(others).toEqual([]);
    expect(hold).toMatchObject({
      kind: "identity",
      state: "open",
      evidence: { remembered: "fake machine", found: "another machine", expected: 2 },
    });
    const answer = { id: hold?.id ?? "", to: "confirmed", actor: ADA } as const;
    await bed.database.db.transaction((tx) => decideHold(tx, answer));
    await prober.probe();
    for (const id of ids) await bed.isReady(platform, id, 2);
    expect(await listHolds(bed.database.db)).toEqual([]);
    const rules = (await toldActs(bed)).map(({ action, rule }) => `${action} ${rule}`);
    expect(rules).toContain("hold_opened G7");
    expect(rules).toContain("hold_decided G8");
  });

  it("G7: restarts nothing when it does not say which one it is", async () => {
    const { platform, prober, ids } = await openProbed(1);
    platform.backend.before("identity", () => Promise.reject(new Error("no answer")));
    platform.backend.wipe();
    await prober.probe();
    const [id = ""] = ids;
    expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 1 });
    expect(await listHolds(bed.database.db)).toEqual([]);
    platform.backend.before("identity", null);
    await prober.probe();
    await until("it is started again", async () => (await platform.see(id)).attempt === 2);
  });

  it("G7: lets a stop wait, which would otherwise believe that there is nothing to stop", async () => {
    const { platform, ids } = await openProbed(1);
    const [id = ""] = ids;
    // Remembered by the pass that made it known.
    const specs = platform.backend.running().map((one) => one.spec);
    platform.backend.machine = "another machine";
    platform.backend.wipe();
    await platform.click(id);
    await until("the card says why", async () => {
      const { failure } = await platform.see(id);
      return failure?.code === "engine_unavailable";
    });
    expect(await platform.see(id)).toMatchObject({ phase: "STOPPING", attempt: 2 });
    const [machine] = await bed.sql`SELECT removed_at FROM machines WHERE workspace_id = ${id}`;
    expect(machine?.removed_at).toBeNull();
    expect(await listHolds(bed.database.db)).toMatchObject([{ kind: "identity" }]);

    platform.backend.machine = "fake machine";
    for (const spec of specs) await platform.backend.create(spec, new AbortController().signal);
    await bed.later(31_000);
    await bed.isReady(platform, id, 2);
    expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([2]);
  });

  it("G7: is forgotten as soon as the old engine answers again, and nothing was restarted", async () => {
    const { platform, prober, ids } = await openProbed(2);
    const specs = platform.backend.running().map((one) => one.spec);
    platform.backend.machine = "another machine";
    platform.backend.wipe();
    await prober.probe();
    platform.backend.machine = "fake machine";
    for (const spec of specs) await platform.backend.create(spec, new AbortController().signal);
    await prober.probe();
    for (const id of ids) {
      expect(await platform.see(id)).toMatchObject({ attempt: 1, health: "ok", failure: null });
    }
  });
});

function tokenOf(spec: { readonly files: readonly { path: string; content: Uint8Array }[] }) {
  const file = spec.files.find((one) => one.path === ".auth_token");
  return new TextDecoder().decode(file?.content);
}
