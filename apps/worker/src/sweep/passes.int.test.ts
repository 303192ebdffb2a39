import { createHash, randomBytes } from "node:crypto";
import { recordBeat } from "@molecule/db/registry/liveness";
import { decideHold, listHolds } from "@molecule/db/sweep/holds";
import { describe, expect, it } from "vitest";
import { ADA } from "../restart/fake-platform.ts";
import { until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { makeOrphans, toldActs, toldRules } from "./sweep-bed.fixture.ts";

const bed = useRestartBed();
const signal = new AbortController().signal;

/** A platform that sweeps when it is told to. */
function openSwept(orphanGraceMs = 0) {
  const platform = bed.open({ settings: { orphanGraceMs, sweepEveryMs: 3_600_000 } });
  const sweeper = platform.startSweeper();
  return { platform, pass: () => sweeper.sweep(signal) };
}

/** Stores one more live token, as a worker would that comes too late. */
async function storeToken(workspaceId: string, attemptNo: number): Promise<string> {
  const token = `wst_${randomBytes(16).toString("hex")}`;
  const digest = createHash("sha256").update(token).digest();
  await bed.sql`UPDATE workspace_tokens SET revoked_at = cp_now()
    WHERE workspace_id = ${workspaceId} AND attempt_no = ${attemptNo} AND revoked_at IS NULL`;
  await bed.sql`INSERT INTO workspace_tokens (workspace_id, attempt_no, kind, token_sha256, prefix)
    VALUES (${workspaceId}, ${attemptNo}, 'attempt', ${digest}, ${token.slice(0, 12)})`;
  return token;
}

const liveTokens = async (workspaceId: string) =>
  (
    await bed.sql`SELECT attempt_no FROM workspace_tokens
      WHERE workspace_id = ${workspaceId} AND revoked_at IS NULL ORDER BY attempt_no`
  ).map((row) => Number(row.attempt_no));

describe("tokens", () => {
  it("G9: takes back what outlived its attempt, and tells the rule and what was seen", async () => {
    const { platform, pass } = openSwept();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    await platform.click(id);
    await bed.isReady(platform, id, 2);
    await storeToken(id, 1);
    expect(await liveTokens(id)).toEqual([1, 2]);
    await pass();
    expect(await liveTokens(id)).toEqual([2]);
    expect((await toldActs(bed)).filter(({ subjectId }) => subjectId === id)).toMatchObject([
      { action: "token_revoked", rule: "G9", evidence: { attempt: 1, current_attempt: 2 } },
    ]);
    expect(await toldRules(bed, id)).toEqual(["G9"]);
    await pass();
    expect(await toldRules(bed, id)).toEqual(["G9"]);
  });

  it("I48 a pass between issue and first use cannot hit the fresh token, whatever is listed", async () => {
    const { platform, pass } = openSwept();
    platform.startWorker(async (name) => {
      // The token is stored with the snapshot; nothing of the attempt is listed yet.
      if (name === "after_snapshot" || name === "before_create") await pass();
    });
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    await platform.click(id);
    await bed.isReady(platform, id, 2);
    expect(await liveTokens(id)).toEqual([2]);
    expect(await platform.beat({ workspaceId: id, attemptNo: 2 })).toBe(200);
    platform.backend.wipe();
    await pass();
    expect(await liveTokens(id)).toEqual([2]);
    expect(await toldRules(bed, id)).toEqual([]);
  });
});

describe("timers", () => {
  it("G10: finds an attempt past its deadline that no worker looks at", async () => {
    const platform = bed.open({
      agentsBeat: false,
      settings: { bootTimeoutMs: 60_000, sweepEveryMs: 3_600_000 },
    });
    const worker = platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isBooting(platform, id, 1);
    await worker.stop();
    // The worker died; its lease and its timer are gone with it.
    await bed.sql`UPDATE workspaces SET lease_owner = NULL, lease_until = NULL,
      next_action_at = cp_now() + interval '1 day' WHERE id = ${id}`;
    await bed.later(61_000);
    platform.startWorker();
    const sweeper = platform.startSweeper();
    await sweeper.sweep(signal);
    await until("the attempt has failed", async () => {
      const [first] = await platform.attempts(id);
      return first?.outcome === "boot_timeout";
    });
    expect((await toldActs(bed)).filter(({ subjectId }) => subjectId === id)).toMatchObject([
      { action: "timer_restored", rule: "G10", evidence: { attempt: 1, phase: "BOOTING" } },
    ]);
    const failed = (await platform.events(id)).filter(
      ({ event }) => event === "WORKSPACE_PROVISION_FAILED",
    );
    expect(failed).toMatchObject([{ payload: { timeout_secs: 60 } }]);
  });

  it("G10: gives a timer back to every open attempt that has none, and to no other row", async () => {
    const { platform, pass } = openSwept();
    const worker = platform.startWorker();
    const ready = await platform.createWorkspace();
    await bed.isReady(platform, ready, 1);
    await bed.isAtRest(platform, ready);
    await worker.stop();
    const lost = await platform.createWorkspace();
    const held = await platform.createWorkspace();
    await bed.sql`UPDATE workspaces SET next_action_at = NULL WHERE id IN (${lost}, ${held})`;
    await bed.sql`UPDATE workspaces SET lease_owner = 'alive',
      lease_until = cp_now() + interval '1 minute' WHERE id = ${held}`;
    await pass();
    expect(await toldRules(bed, lost)).toEqual(["G10"]);
    expect(await toldRules(bed, held)).toEqual([]);
    expect(await toldRules(bed, ready)).toEqual([]);
    platform.startWorker();
    await bed.isReady(platform, lost, 1);
  });
});

describe("instances", () => {
  it("G13: tells each removal with its rule, also of a workspace that no database knows", async () => {
    const { platform, pass } = openSwept();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    const first = platform.backend.running()[0]?.spec;
    await platform.click(id);
    await bed.isReady(platform, id, 2);
    await bed.isAtRest(platform, id);
    if (first === undefined) throw new Error("the first attempt was made");
    await platform.backend.create(first, signal);
    const [orphan] = await makeOrphans(platform, 1);
    const before = (await toldActs(bed)).length;
    await pass();
    expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([2]);
    const told = (await toldActs(bed)).slice(before);
    expect(told.map(({ rule }) => rule).sort()).toEqual(["G2", "G3"]);
    expect(told).toContainEqual(
      expect.objectContaining({ subjectId: null, workspaceId: orphan?.workspaceId, rule: "G3" }),
    );
    expect(await toldRules(bed, id)).toEqual(["G2"]);
  });

  it("I46 a wiped database: what it no longer knows goes after the grace time, not before", async () => {
    const { platform, pass } = openSwept(3_600_000);
    await makeOrphans(platform, 2);
    await pass();
    expect(platform.backend.running()).toHaveLength(2);
    const hurried = bed.open({
      backend: platform.backend,
      settings: { orphanGraceMs: 0, sweepEveryMs: 3_600_000 },
    });
    await hurried.startSweeper().sweep(signal);
    expect(platform.backend.running()).toHaveLength(0);
  });
});

describe("another machine than before", () => {
  it("G7: concludes nothing from its empty listing, and asks", async () => {
    const { platform, pass } = openSwept();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    await bed.isAtRest(platform, id);
    await pass();
    platform.backend.machine = "another machine";
    platform.backend.wipe();
    await pass();
    expect(await listHolds(bed.database.db)).toMatchObject([
      { kind: "identity", evidence: { remembered: "fake machine", found: "another machine" } },
    ]);
    expect(await liveTokens(id)).toEqual([1]);
    expect(await platform.see(id)).toMatchObject({ phase: "READY", attempt: 1 });
  });

  it("G7: is the remembered one as soon as it lists what the database knows", async () => {
    const { platform, pass } = openSwept();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    await pass();
    platform.backend.machine = "the same with a new name";
    await pass();
    expect(await listHolds(bed.database.db)).toEqual([]);
    const [row] = await bed.sql`SELECT identity FROM backend_identities WHERE backend = 'process'`;
    expect(row?.identity).toBe("the same with a new name");
  });

  it("G7: is not asked about any more when the old one answers again", async () => {
    const { platform, pass } = openSwept();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    await pass();
    platform.backend.before("list", () => {
      platform.backend.machine = "another machine";
      return Promise.resolve();
    });
    const instances = platform.backend.running();
    platform.backend.wipe();
    await pass();
    expect(await listHolds(bed.database.db)).toHaveLength(1);
    platform.backend.before("list", null);
    platform.backend.machine = "fake machine";
    for (const { spec } of instances) await platform.backend.create(spec, signal);
    await pass();
    expect(await listHolds(bed.database.db)).toEqual([]);
  });

  it("G8: once confirmed, it is the machine on which the agents are looked for", async () => {
    const { platform, pass } = openSwept();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await bed.isReady(platform, id, 1);
    await bed.isAtRest(platform, id);
    await pass();
    platform.backend.machine = "another machine";
    platform.backend.wipe();
    await pass();
    const [hold] = await listHolds(bed.database.db);
    const answer = { id: hold?.id ?? "", to: "confirmed", actor: ADA } as const;
    await bed.database.db.transaction((tx) => decideHold(tx, answer));
    await pass();
    expect(await listHolds(bed.database.db)).toEqual([]);
    const [row] = await bed.sql`SELECT identity FROM backend_identities WHERE backend = 'process'`;
    expect(row?.identity).toBe("another machine");
  });
});

describe("external workspaces", () => {
  it("I51 fall silent after 90 s, lose no token, and are back with the next beat, without any backend", async () => {
    const { platform, pass } = openSwept();
    const prober = platform.startProber();
    platform.backend.whyAway = "There is no engine here.";
    const id = await platform.createWorkspace({ backend: "external" });
    await bed.sql`INSERT INTO workspace_tokens (workspace_id, kind, token_sha256, prefix)
      VALUES (${id}, 'external', ${createHash("sha256").update(id).digest()}, 'wst_')`;
    const beat = () =>
      bed.database.db.transaction((tx) => recordBeat(tx, { workspaceId: id, attemptNo: null }));
    const status = async () =>
      (await bed.sql`SELECT status FROM workspace_statuses WHERE workspace_id = ${id}`)[0]?.status;
    const told = async () => (await platform.events(id)).map(({ event }) => event);
    await beat();
    expect(await status()).toBe("online");
    await bed.later(89_000);
    await prober.probe();
    expect(await status()).toBe("online");
    await bed.later(2_000);
    await prober.probe();
    await prober.probe();
    await pass();
    expect(await status()).toBe("awaiting_agent");
    expect((await told()).filter((one) => one === "WORKSPACE_AWAITING_AGENT")).toHaveLength(1);
    expect(await liveTokens(id)).toHaveLength(1);
    await beat();
    expect(await status()).toBe("online");
    expect((await told()).at(-1)).toBe("WORKSPACE_ONLINE");
    expect(await platform.see(id)).toMatchObject({ attempt: 0 });
    expect(await toldRules(bed, id)).toEqual([]);
  });
});

it("I43 two sweepers at once tell the removal of what nobody knows once", async () => {
  const { platform, pass } = openSwept();
  const other = platform.startSweeper();
  const orphans = await makeOrphans(platform, 3);
  const before = (await toldActs(bed)).length;
  await Promise.all([pass(), other.sweep(signal)]);
  expect(platform.backend.running()).toEqual([]);
  const acts = (await toldActs(bed)).slice(before);
  const told = acts.map(({ evidence }) => evidence.provider_id);
  expect(told.toSorted()).toEqual(orphans.map(({ providerId }) => providerId).toSorted());
});
