import type { AttemptOpened, RestartRequestView } from "@molecule/contracts/ledger";
import { recordRequests } from "@molecule/db/ledger/record-request";
import { countSweepAction, foldTallies } from "@molecule/db/ledger/tallies";
import { recordObservation } from "@molecule/db/lifecycle/observe";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../../../../packages/api/src/api.fixture.ts";
import { ADA, FakePlatform } from "./fake-platform.ts";

/** A server and a worker on one database, as they are when the product runs. */
let t: TestApi;
let platform: FakePlatform;
let skewMs = 0;
beforeEach(async () => {
  t = await createTestApi();
  platform = new FakePlatform({ db: t.test.db, sql: t.test.sql });
  skewMs = 0;
});
afterEach(async () => {
  openAll();
  await platform.stop();
  await t[Symbol.asyncDispose]();
});

const later = async (ms: number) => {
  skewMs += ms;
  await t.test.setSkewMs(skewMs);
};
const until = (what: string, probe: () => Promise<boolean>) =>
  waitUntil<true>(what, async () => (await probe()) || null, { timeoutMs: 25_000 });
const isReady = (id: string, attempt: number) =>
  until(`attempt ${attempt} is ready`, async () => {
    const seen = await platform.see(id);
    return seen.phase === "READY" && seen.attempt === attempt;
  });
const phaseIs = (id: string, phase: string) =>
  until(`it is in ${phase}`, async () => (await platform.see(id)).phase === phase);
const put = async (id: string, path: string, content: string) => {
  const answer = await t.call("PUT", `/workspaces/${id}/files/${path}`, { body: { content } });
  expect(answer.status).toBe(200);
};
const ask = async <T>(path: string, input: unknown): Promise<T> => {
  const query = encodeURIComponent(JSON.stringify(input));
  const answer = await t.call("GET", `/trpc/workspaces.${path}?input=${query}`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { result: { data: T } }).result.data;
};
const requestsOf = (id: string) => ask<RestartRequestView[]>("restartRequests", { id });
/** The counters of `/metrics` as `source outcome` → value. */
const metrics = async (metric: string): Promise<Record<string, number>> => {
  const text = await (await t.call("GET", "/metrics")).text();
  const lines = text.matchAll(new RegExp(`^${metric}\\{(.*)\\} (\\d+)$`, "gm"));
  return Object.fromEntries(
    [...lines].map(([, labels = "", value]) => [
      [...labels.matchAll(/"([^"]*)"/g)].map(([, text]) => text).join(" "),
      Number(value),
    ]),
  );
};
const gates: (() => void)[] = [];
/** What waits for `opened` goes on with `open`, after the test at the latest. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  gates.push(open);
  return { open, opened };
}
function openAll(): void {
  for (const open of gates.splice(0)) open();
}
async function running(): Promise<string> {
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(id, 1);
  return id;
}

describe("what asked for a restart", () => {
  it("L3: ten PUTs are 1 began and 9 merged, and an identical one is skipped", async () => {
    const id = await running();
    for (let n = 0; n < 10; n += 1) await put(id, `f${n}.md`, `text ${n}`);
    await put(id, "f3.md", "text 3");
    await later(16_000);
    await isReady(id, 2);
    expect(await metrics("molecule_restart_requests_total")).toEqual({
      "create began": 1,
      "write began": 1,
      "write merged": 9,
      "write skipped": 1,
    });
    expect(await metrics("molecule_attempts_total")).toEqual({
      "create ready": 1,
      "files ready": 1,
    });
    expect(await requestsOf(id)).toMatchObject([
      { source: "write", outcome: "merged", attemptNo: 2, count: 9 },
      { source: "write", outcome: "skipped", attemptNo: 1, count: 1 },
    ]);
  });

  it("L4: what comes before the snapshot is merged, and nothing is told twice", async () => {
    const id = await running();
    const { open, opened } = gate();
    platform.backend.before("remove", () => opened);
    await platform.click(id);
    await phaseIs(id, "STOPPING");
    await put(id, "late.md", "in time");
    await platform.click(id);
    open();
    await isReady(id, 2);
    expect(await metrics("molecule_restart_requests_total")).toEqual({
      "create began": 1,
      "click began": 1,
      "click merged": 1,
      "write merged": 1,
    });
    await platform.click(id);
    await isReady(id, 3);
    expect(await metrics("molecule_restart_requests_total")).toMatchObject({
      "click began": 2,
      "click merged": 1,
      "write merged": 1,
    });
  });

  it("L5: a storm of probes while an attempt is open is observed, in one row", async () => {
    platform.startWorker();
    const { opened } = gate();
    platform.backend.before("create", () => opened);
    const id = await platform.createWorkspace();
    await phaseIs(id, "CREATING");
    const seen = { workspaceId: id, attemptNo: 1, kind: "gone", detail: null } as const;
    const told = Array.from({ length: 50 }, () => recordObservation(t.test.db, seen));
    expect((await Promise.all(told)).some(Boolean)).toBe(false);
    expect(await requestsOf(id)).toMatchObject([
      { source: "dead_container", outcome: "observed", attemptNo: 1, count: 50 },
    ]);
    expect(await metrics("molecule_restart_requests_total")).toMatchObject({
      "dead_container observed": 50,
    });
    expect((await platform.see(id)).attempt).toBe(1);
  });

  it("L5: a click on what rests or runs elsewhere is skipped, and says why", async () => {
    const outside = await t.createWorkspace({ runtime: "external" });
    expect((await t.call("POST", `/workspaces/${outside}/restart`)).status).toBe(200);
    expect((await t.call("POST", `/workspaces/${outside}/restart`)).status).toBe(200);
    const paused = await t.createWorkspace();
    await t.call("POST", `/workspaces/${paused}/pause`);
    expect((await t.call("POST", `/workspaces/${paused}/restart`)).status).toBe(409);
    expect(await requestsOf(outside)).toMatchObject([
      { source: "click", outcome: "skipped", attemptNo: null, count: 2 },
    ]);
    expect(await requestsOf(paused)).toMatchObject([
      { outcome: "skipped", count: 1, sentence: expect.stringContaining("paused") },
    ]);
    expect(await metrics("molecule_restart_requests_total")).toEqual({ "click skipped": 3 });
  });

  it("R24: a template by a click is not announced as a restart by itself, a save is", async () => {
    const id = await running();
    const body = { template: "assistant" };
    const answer = await t.call("POST", `/workspaces/${id}/restart`, { body });
    expect(answer.status).toBe(200);
    await isReady(id, 2);
    const fired = async () =>
      (await platform.events(id)).filter(({ event }) => event === "WORKSPACE_AUTO_RESTART_FIRED");
    expect((await platform.attempts(id)).map(({ reason }) => reason)).toEqual([
      "create",
      "template",
    ]);
    expect(await fired()).toEqual([]);
    expect(await metrics("molecule_restart_requests_total")).toEqual({
      "create began": 1,
      "template began": 1,
    });
    await platform.writeFiles(id, { "a.md": "saved" });
    await isReady(id, 3);
    expect((await fired()).map(({ payload }) => payload)).toEqual([
      {
        attempt: 3,
        reason: "files",
        detail: "1 file changed by Ada",
        actor: "Ada",
        merged: [{ kind: "file", count: 1, from: expect.any(String), to: expect.any(String) }],
        generation: (await platform.see(id)).desired,
      },
    ]);
  });
});

describe("the counters", () => {
  it("L8: never fall, whatever is folded and purged, and nobody loses a count", async () => {
    const id = await running();
    await put(id, "a.md", "text");
    await later(16_000);
    await isReady(id, 2);
    await countSweepAction(t.test.db, "instance_removed", 2);
    const names = ["restart_requests", "attempts", "sweep_actions"] as const;
    const all = async () => {
      const found = await Promise.all(names.map((name) => metrics(`molecule_${name}_total`)));
      return Object.assign({}, ...found) as Record<string, number>;
    };
    const before = await all();
    expect(before).toMatchObject({ instance_removed: 2, "write began": 1, "files ready": 1 });
    await platform.stop();
    await t.test.sql`DELETE FROM workspaces`;
    const counts = Array.from({ length: 20 }, () =>
      countSweepAction(t.test.db, "instance_removed"),
    );
    const folds = Array.from({ length: 5 }, () => foldTallies(t.test.db, 0));
    await Promise.all([...counts, ...folds]);
    await foldTallies(t.test.db, 0);
    expect(await all()).toEqual({ ...before, instance_removed: 22 });
    const [rows] = await t.test.sql`SELECT count(*)::int AS n FROM tallies`;
    expect(rows?.n).toBe(Object.keys(before).length);
  });

  it("L8: whoever counts and has not committed holds nobody up", async () => {
    platform.startWorker();
    const [held, ...others] = await Promise.all(
      Array.from({ length: 3 }, () => platform.createWorkspace()),
    );
    for (const id of others) await isReady(id, 1);
    // No longer than it must: the event logs of all tests on this server wait for it.
    await t.test.db.transaction(async (tx) => {
      const same = {
        source: "click",
        outcome: "skipped",
        actor: ADA,
        sentence: "It waits.",
      } as const;
      await recordRequests(tx, [{ workspaceId: held ?? "", ...same }]);
      // Every other workspace saves, restarts and counts the same while this is open.
      for (const id of others) await put(id, "a.md", "text");
      for (const id of others) await platform.click(id);
      for (const id of others) await isReady(id, 2);
    });
    expect(await metrics("molecule_restart_requests_total")).toMatchObject({
      "click began": 2,
      "click skipped": 1,
      "write merged": 2,
    });
  });
});

describe("an attempt that is opened", () => {
  it("L6: has its phases, its instance, what it was started with and what else asked", async () => {
    const id = await running();
    await put(id, "a.md", "one");
    await put(id, "b.md", "two");
    await later(16_000);
    await isReady(id, 2);
    const opened = await ask<AttemptOpened>("attempt", { id, no: 2 });
    expect(opened).toMatchObject({
      reason: "files",
      outcome: "ready",
      generation: 3,
      providerRef: expect.stringMatching(/./),
      requests: [{ outcome: "merged", count: 1 }],
      detail: { sentence: expect.stringContaining("2 files") },
    });
    expect(opened.phases.map(({ stage }) => stage)).toEqual(
      opened.stages.map(({ stage }) => stage),
    );
    const sum = opened.phases.reduce((total, { ms }) => total + (ms ?? Number.NaN), 0);
    expect(sum).toBeLessThanOrEqual(opened.totalMs ?? 0);
    const none = await t.call(
      "GET",
      `/trpc/workspaces.attempt?input=${encodeURIComponent(JSON.stringify({ id, no: 9 }))}`,
    );
    expect(none.status).toBe(404);
  });
});
