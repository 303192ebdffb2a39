import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BackendError } from "../provisioning/compute-backend.ts";
import { FakePlatform, type FakePlatformOptions } from "./fake-platform.ts";

let database: TestDatabase;
let skewMs = 0;
const platforms: FakePlatform[] = [];
const gates: (() => void)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  skewMs = 0;
});
afterEach(async () => {
  for (const open of gates.splice(0)) open();
  for (const platform of platforms.splice(0)) await platform.stop();
  await database.close();
});

function open(options: Partial<FakePlatformOptions> = {}): FakePlatform {
  const platform = new FakePlatform({ db: database.db, sql: database.sql, ...options });
  platforms.push(platform);
  return platform;
}

/** Moves the platform's clock forward. */
async function later(ms: number): Promise<void> {
  skewMs += ms;
  await database.setSkewMs(skewMs);
}

const phaseIs = (platform: FakePlatform, id: string, phase: string) =>
  waitUntil(`${id} is in ${phase}`, async () => (await platform.see(id)).phase === phase);
const isReady = (platform: FakePlatform, id: string, attempt: number) =>
  waitUntil(`attempt ${attempt} of ${id} is ready`, async () => {
    const seen = await platform.see(id);
    return seen.phase === "READY" && seen.attempt === attempt;
  });
/** Nothing is due and nobody works: the platform is at rest. */
const isAtRest = (platform: FakePlatform, id: string) =>
  waitUntil(`${id} is at rest`, async () => {
    const [row] = await database.sql`
      SELECT next_action_at IS NULL OR next_action_at > cp_now() AS idle, lease_owner FROM workspaces WHERE id = ${id}`;
    return row?.idle === true && row.lease_owner === null && (await platform.see(id)) !== null;
  });
const attemptOf = async (platform: FakePlatform, id: string, no: number) =>
  (await platform.attempts(id)).find((attempt) => attempt.no === no);
const gate = () => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  gates.push(open);
  return { open, wait: () => opened };
};
const failure = (isRetryable: boolean) =>
  new BackendError(
    { code: "create_failed", sentence: "The machine said no.", next: "Wait." },
    { isRetryable },
  );

describe("a new workspace", () => {
  it("starts, goes through the stages in order, and is online with its first beat", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const [attempt] = await platform.attempts(id);
    expect(attempt).toMatchObject({
      reason: "create",
      outcome: "ready",
      actor: "Ada",
      sentence: "created by Ada",
      stages: ["queued", "preparing", "creating", "booting", "first_heartbeat"],
    });
    expect(await platform.see(id)).toMatchObject({ desired: 1, applied: 1, failure: null });
    const events = (await platform.events(id)).map(({ event }) => event);
    expect(events).toContain("WORKSPACE_PROVISIONING");
    expect(events).toContain("WORKSPACE_ONLINE");
    expect(events).not.toContain("WORKSPACE_AUTO_RESTART_FIRED");
  });

  it("is refused before anything is started when a key is missing, and starts when it comes", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace({ requiredEnv: ["ANTHROPIC_API_KEY"] });
    await phaseIs(platform, id, "FAILED");
    expect((await platform.see(id)).failure).toMatchObject({
      code: "missing_required_key",
      missing: ["ANTHROPIC_API_KEY"],
    });
    expect(platform.backend.created).toEqual([]);
    const told = (await platform.events(id)).find(
      ({ event }) => event === "WORKSPACE_PROVISION_FAILED",
    );
    expect(told?.payload).toMatchObject({ missing: ["ANTHROPIC_API_KEY"] });
    await platform.writeSecret(id, "ANTHROPIC_API_KEY", "sk-ant-1");
    await isReady(platform, id, 2);
    expect(platform.backend.running()[0]?.spec.env.ANTHROPIC_API_KEY).toBe("sk-ant-1");
    expect(await attemptOf(platform, id, 2)).toMatchObject({ reason: "secret", actor: "Ada" });
  });
});

describe("a write", () => {
  it("restarts once after its quiet time, with the reason, and is what the agent then runs with", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.writeFile(id, "notes.md", "one");
    await later(14_000);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(1);
    await later(1_500);
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2, attempt: 2 });
    expect(await attemptOf(platform, id, 2)).toMatchObject({
      reason: "files",
      sentence: "1 file changed by Ada",
      stages: ["queued", "stopping", "preparing", "creating", "booting", "first_heartbeat"],
    });
    const fired = (await platform.events(id)).find(
      ({ event }) => event === "WORKSPACE_AUTO_RESTART_FIRED",
    );
    expect(fired?.payload).toMatchObject({ attempt: 2, reason: "files", generation: 2 });
    expect(platform.backend.running()).toHaveLength(1);
  });

  it("of 17 files in one save is one attempt, at once", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const files = Object.fromEntries(
      Array.from({ length: 17 }, (_, i) => [`f${i}.md`, `text ${i}`]),
    );
    await platform.writeFiles(id, files);
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2, attempt: 2 });
    expect((await attemptOf(platform, id, 2))?.sentence).toMatch(/^17 files saved by Ada, at /);
    const paths = platform.backend.running()[0]?.spec.files.map((file) => file.path);
    expect(paths).toEqual(expect.arrayContaining(Object.keys(files)));
  });

  it("during the stop rides along in the same attempt", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const stop = gate();
    platform.backend.before("remove", stop.wait);
    await platform.writeFiles(id, { "a.md": "1" });
    await phaseIs(platform, id, "STOPPING");
    await platform.writeFiles(id, { "b.md": "2" });
    stop.open();
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 3, applied: 3, attempt: 2 });
    expect((await attemptOf(platform, id, 2))?.sentence).toMatch(/^2 files saved by Ada/);
    const told = (await platform.events(id)).find(
      ({ event }) => event === "WORKSPACE_RESTARTING_MID_WRITE",
    );
    expect(told?.payload).toMatchObject({ attempt: 2, path: "b.md", will_apply_in: "this" });
  });

  it.each(["create", "boot"] as const)("during the %s causes exactly one more", async (when) => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    const creating = gate();
    if (when === "create") platform.backend.before("create", creating.wait);
    await phaseIs(platform, id, when === "create" ? "CREATING" : "BOOTING");
    await platform.writeFiles(id, { "a.md": "1" });
    creating.open();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await waitUntil("attempt 2 boots", async () => {
      const seen = await platform.see(id);
      return seen.attempt === 2 && seen.phase === "BOOTING";
    });
    expect((await platform.attempts(id)).map((one) => one.snapGen)).toEqual([1, 2]);
    await platform.beat({ workspaceId: id, attemptNo: 2 });
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2, attempt: 2 });
    expect(platform.backend.created).toHaveLength(2);
  });

  it("under the policy hold restarts nothing until a click", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace({ policy: "hold" });
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "a.md": "1" });
    await later(3_600_000);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 1, attempt: 1 });
    await platform.click(id);
    await isReady(platform, id, 2);
    expect((await platform.see(id)).applied).toBe(2);
  });

  it("waits for running turns, and no longer than ten minutes", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 }, 1);
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "a.md": "1" });
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(1);
    // In hops, as a beat says something about turns for a while only.
    for (let hop = 0; hop < 8; hop += 1) {
      await later(70_000);
      await platform.beat({ workspaceId: id, attemptNo: 1 }, 1);
    }
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(1);
    await later(45_000);
    await waitUntil("the restart begins", async () => (await platform.see(id)).attempt === 2);
  });

  it("of an agent under /configs is adopted without a restart, and a double edit keeps both", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "mine.md": "v1", "both.md": "v1", "still.md": "v1" });
    await isReady(platform, id, 2);
    platform.backend.editConfig(id, "mine.md", "by the agent");
    platform.backend.editConfig(id, "both.md", "by the agent");
    platform.backend.editConfig(id, "new.md", "found");
    platform.backend.editConfig(id, "config.yaml", "model: hijacked");
    await platform.writeFiles(id, { "both.md": "by Ada" });
    await isReady(platform, id, 3);
    await isAtRest(platform, id);
    const files = Object.fromEntries(
      (platform.backend.running()[0]?.spec.files ?? []).map((file) => [
        file.path,
        new TextDecoder().decode(file.content),
      ]),
    );
    expect(files).toMatchObject({
      "mine.md": "by the agent",
      "both.md": "by Ada",
      "both.md.agent-2": "by the agent",
      "new.md": "found",
      "still.md": "v1",
    });
    expect(files["config.yaml"]).not.toContain("hijacked");
    const seen = await platform.see(id);
    expect([seen.attempt, seen.applied === seen.desired]).toEqual([3, true]);
  });
});

describe("a click", () => {
  it("in READY begins at once, and the same click twice is one", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const [one, two] = [await platform.click(id, "c1"), await platform.click(id, "c1")];
    expect(one).toEqual(two);
    expect(one).toMatchObject({ kind: "begins", attempt: 2 });
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({
      reason: "user",
      sentence: "restarted by Ada",
    });
  });

  it("while stopping is absorbed and told so", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const stop = gate();
    platform.backend.before("remove", stop.wait);
    await platform.click(id);
    await phaseIs(platform, id, "STOPPING");
    expect(await platform.click(id)).toMatchObject({ kind: "absorbed", attempt: 2 });
    stop.open();
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(2);
    expect((await attemptOf(platform, id, 2))?.absorbed).toEqual(["restarted by Ada"]);
  });

  it.each(["create", "boot"] as const)("during the %s ends that attempt", async (when) => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    const creating = gate();
    if (when === "create") platform.backend.before("create", creating.wait);
    await phaseIs(platform, id, when === "create" ? "CREATING" : "BOOTING");
    expect(await platform.click(id)).toMatchObject({ kind: "begins", attempt: 2 });
    creating.open();
    await waitUntil("attempt 2 boots", async () => {
      const seen = await platform.see(id);
      return seen.attempt === 2 && seen.phase === "BOOTING";
    });
    expect(await attemptOf(platform, id, 1)).toMatchObject({ outcome: "aborted" });
    expect(platform.backend.running().map((one) => one.attemptNo)).toEqual([2]);
  });

  it("on a failed or waiting workspace starts at once and forgets the failures", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    platform.backend.before("create", () => Promise.reject(failure(false)));
    await phaseIs(platform, id, "BACKOFF");
    platform.backend.before("create", null);
    await platform.click(id);
    await isReady(platform, id, 2);
    expect(await platform.see(id)).toMatchObject({ bootFailures: 0, failure: null });
  });

  it("on a paused workspace is refused with what to do", async () => {
    const platform = open();
    const id = await platform.createWorkspace();
    await platform.intent(id, "pause");
    await expect(platform.click(id)).rejects.toMatchObject({ code: "workspace_paused" });
  });
});

describe("attempts are told apart", () => {
  it("a beat of the old attempt is superseded and makes nothing ready", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await isReady(platform, id, 1);
    await platform.click(id);
    await waitUntil("attempt 2 boots", async () => {
      const seen = await platform.see(id);
      return seen.attempt === 2 && seen.phase === "BOOTING";
    });
    expect(await platform.beat({ workspaceId: id, attemptNo: 1 })).toBe(409);
    expect((await platform.see(id)).phase).toBe("BOOTING");
    expect(await platform.beat({ workspaceId: id, attemptNo: 2 })).toBe(200);
    await isReady(platform, id, 2);
  });

  it("a beat before the start was recorded makes the attempt ready on record", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker(async (name) => {
      if (name === "after_create") {
        const [made] = platform.backend.running();
        if (made !== undefined) expect(await platform.beat(made)).toBe(200);
      }
    });
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    expect((await platform.see(id)).applied).toBe(1);
  });

  it("a late beat after the boot timeout adopts the instance", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await later(601_000);
    await phaseIs(platform, id, "BACKOFF");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await isReady(platform, id, 1);
    expect(platform.backend.created).toHaveLength(1);
    expect(await attemptOf(platform, id, 1)).toMatchObject({ outcome: "ready" });
  });
});

describe("failures", () => {
  it("a boot timeout waits and tries again, and five of one generation are final", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await waitUntil(`attempt ${attempt} boots`, async () => {
        const seen = await platform.see(id);
        return seen.attempt === attempt && seen.phase === "BOOTING";
      });
      await later(601_000);
      await phaseIs(platform, id, attempt < 5 ? "BACKOFF" : "FAILED");
      await later(170_000);
    }
    const seen = await platform.see(id);
    expect(seen).toMatchObject({ attempt: 5, bootFailures: 5, failure: { code: "boot_timeout" } });
    await later(86_400_000);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(5);
    expect((await platform.attempts(id)).map((one) => one.reason)).toEqual([
      "create",
      "boot_retry",
      "boot_retry",
      "boot_retry",
      "boot_retry",
    ]);
    await platform.writeFiles(id, { "fix.md": "1" });
    await waitUntil("a write heals", async () => (await platform.see(id)).attempt === 6);
    expect(platform.backend.running().length).toBeLessThanOrEqual(1);
  });

  it("an instance that ends before it beats fails early with its last lines", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    platform.backend.crash({ workspaceId: id, attemptNo: 1 }, "exit code 7");
    await phaseIs(platform, id, "BACKOFF");
    expect((await platform.see(id)).failure).toMatchObject({ code: "exited_early" });
    expect((await platform.see(id)).failure?.sentence).toContain("exit code 7");
    const [row] = await database.sql`SELECT log_excerpt FROM attempts WHERE workspace_id = ${id}`;
    expect(row?.log_excerpt).toBe("fake instance of attempt 1");
  });

  it("a crash waits 10 s and restarts with the exit in its reason", async () => {
    const platform = open();
    platform.startWorker();
    platform.startProber();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    platform.backend.crash({ workspaceId: id, attemptNo: 1 }, "exit code 1");
    await phaseIs(platform, id, "BACKOFF");
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 1, crashCount: 1 });
    await later(10_500);
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({
      reason: "crash",
      sentence: "crashed (exit code 1)",
    });
  });

  it("a wiped machine heals by itself with new attempts and tokens", async () => {
    const platform = open();
    platform.startWorker();
    platform.startProber();
    const ids = [await platform.createWorkspace(), await platform.createWorkspace()];
    for (const id of ids) await isReady(platform, id, 1);
    await waitUntil("the prober has made its first round", async () => {
      const before = performance.now();
      return await waitUntil("some rounds", () => performance.now() - before > 100);
    });
    platform.backend.wipe();
    for (const id of ids) await phaseIs(platform, id, "BACKOFF");
    await later(10_500);
    for (const id of ids) await isReady(platform, id, 2);
  });

  it("what ended together with the platform starts again at once", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    // Until the worker has let go, its own look at the starting instance would see the loss first.
    await isAtRest(platform, id);
    platform.backend.wipe();
    platform.startProber();
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({ reason: "platform_upgrade" });
    expect((await platform.see(id)).crashCount).toBe(0);
  });

  it("a silent agent that still answers is suspected and not restarted; a dead one is", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    let isAnswering = true;
    platform.startProber(async () => isAnswering);
    await later(91_000);
    await waitUntil("it is suspected", async () => {
      const seen = await platform.see(id);
      return seen.health === "suspected_down" && seen.phase === "READY";
    });
    isAnswering = false;
    await phaseIs(platform, id, "BACKOFF");
    await later(10_500);
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({ reason: "unhealthy" });
  });

  it.each([
    ["prepare", "BACKOFF"],
    ["create", "BACKOFF"],
  ] as const)("an exception in %s ends the attempt with a sentence", async (call, phase) => {
    const platform = open();
    platform.startWorker();
    const [id, other] = [await platform.createWorkspace(), await platform.createWorkspace()];
    await isReady(platform, other, 1);
    await isReady(platform, id, 1);
    platform.backend.before(call, () => Promise.reject(new Error("vendor text with sk-secret")));
    await platform.click(id);
    await phaseIs(platform, id, phase);
    const seen = await platform.see(id);
    expect(seen.failure?.code).toBe("internal");
    expect(JSON.stringify(await platform.events(id))).not.toContain("vendor text");
    expect((await platform.see(other)).phase).toBe("READY");
    platform.backend.before(call, null);
    await later(10_500);
    await isReady(platform, id, 3);
  });

  it("a stop that fails is repeated, shown, and never skipped", async () => {
    const platform = open({ settings: { stepRetryScale: 0.02 } });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    platform.backend.before("remove", () => Promise.reject(new Error("5xx")));
    await platform.click(id);
    await waitUntil("the failure is shown", async () => {
      const seen = await platform.see(id);
      return seen.phase === "STOPPING" && seen.failure?.code === "stop_failed";
    });
    await later(601_000);
    await waitUntil("a person is told", async () => {
      const rows = await database.sql`
        SELECT 1 FROM activity WHERE workspace_id = ${id} AND summary LIKE 'Still not done%'`;
      return rows.length > 0;
    });
    expect(platform.backend.created).toHaveLength(1);
    platform.backend.before("remove", null);
    await isReady(platform, id, 2);
    expect(platform.backend.running()).toHaveLength(1);
  });

  it("a creation that fails for a moment is repeated with the same token", async () => {
    const platform = open({ settings: { stepRetryScale: 0.02 } });
    platform.startWorker();
    let failures = 3;
    platform.backend.before("create", () => {
      failures -= 1;
      if (failures >= 0) throw failure(true);
    });
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    expect(platform.backend.created).toHaveLength(1);
  });

  it("an engine that is away never ends the tries", async () => {
    const platform = open();
    platform.startWorker();
    const away = new BackendError(
      { code: "engine_unavailable", sentence: "Docker does not answer.", next: "Start it." },
      { isRetryable: false },
    );
    platform.backend.before("create", () => Promise.reject(away));
    const id = await platform.createWorkspace();
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      await waitUntil(`attempt ${attempt} waits`, async () => {
        const seen = await platform.see(id);
        return seen.attempt === attempt && seen.phase === "BACKOFF";
      });
      if (attempt === 7) platform.backend.before("create", null);
      await later(301_000);
    }
    await isReady(platform, id, 8);
  });
});

describe("pause, resume and delete", () => {
  it.each(["READY", "BOOTING"] as const)(
    "pauses in %s with its team and resumes",
    async (phase) => {
      const platform = open({ agentsBeat: phase === "READY" });
      platform.startWorker();
      const id = await platform.createWorkspace();
      const child = await platform.createWorkspace({ parentId: id });
      for (const one of [id, child]) await phaseIs(platform, one, phase);
      const { affected } = await platform.intent(id, "pause");
      expect(affected).toHaveLength(2);
      for (const one of [id, child]) await phaseIs(platform, one, "PAUSED");
      expect(platform.backend.running()).toEqual([]);
      await expect(platform.intent(child, "resume")).rejects.toMatchObject({ code: "conflict" });
      await platform.intent(id, "resume");
      for (const one of [id, child]) {
        await waitUntil("attempt 2 began", async () => (await platform.see(one)).attempt === 2);
        expect(await attemptOf(platform, one, 2)).toMatchObject({
          reason: "resume",
          sentence: "resumed by Ada",
        });
      }
    },
  );

  it("keeps what was written while paused", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.intent(id, "pause");
    await phaseIs(platform, id, "PAUSED");
    await platform.writeFiles(id, { "a.md": "while paused" });
    await later(60_000);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(1);
    await platform.intent(id, "resume");
    await isReady(platform, id, 2);
    expect(await platform.see(id)).toMatchObject({ desired: 2, applied: 2 });
  });

  it.each(["NEW", "STOPPING", "CREATING", "BOOTING", "READY", "FAILED"] as const)(
    "deletes in %s and leaves nothing",
    async (phase) => {
      const platform = open({ agentsBeat: phase === "READY" || phase === "STOPPING" });
      const work = gate();
      const id = await platform.createWorkspace(
        phase === "FAILED" ? { requiredEnv: ["MISSING"] } : {},
      );
      if (phase !== "NEW") platform.startWorker();
      if (phase === "CREATING") platform.backend.before("create", work.wait);
      if (phase === "STOPPING") {
        await isReady(platform, id, 1);
        platform.backend.before("remove", work.wait);
        await platform.click(id);
      }
      await phaseIs(platform, id, phase);
      await platform.intent(id, "delete");
      work.open();
      if (phase === "NEW") platform.startWorker();
      await phaseIs(platform, id, "DELETED");
      expect(await platform.backend.list()).toEqual([]);
      expect(await platform.backend.readConfigs(id)).toBeNull();
      const [row] = await database.sql`
        SELECT (SELECT count(*) FROM workspace_tokens WHERE workspace_id = ${id} AND revoked_at IS NULL)
          + (SELECT count(*) FROM managed_files WHERE workspace_id = ${id})
          + (SELECT count(*) FROM workspace_secrets WHERE workspace_id = ${id}) AS left`;
      expect(Number(row?.left)).toBe(0);
      await expect(platform.writeFile(id, "a.md", "x")).rejects.toMatchObject({ code: "removed" });
      const events = await platform.events(id);
      expect(events.filter(({ event }) => event === "WORKSPACE_REMOVED")).toHaveLength(1);
    },
  );
});

describe("workers that die", () => {
  it.each([
    "after_begin",
    "after_stop",
    "before_snapshot",
    "after_snapshot",
    "before_create",
    "after_create",
    "after_created",
  ] as const)("%s: another worker goes on and one instance runs", async (place) => {
    const platform = open({ settings: { leaseMs: 300 } });
    const dead = gate();
    let hits = 0;
    // The worker stops doing anything at this place for ever, as a killed one does.
    const zombie = platform.startWorker(async (name) => {
      if (name !== place) return;
      hits += 1;
      await dead.wait();
      throw new Error("a zombie");
    });
    const id = await platform.createWorkspace();
    await waitUntil("the first worker is caught", () => hits > 0);
    const ended = zombie.stop();
    // A killed process renews nothing: its lease is taken away instead of waited for.
    await database.sql`
      UPDATE workspaces SET lease_owner = NULL, lease_until = NULL, lease_epoch = lease_epoch + 1
      WHERE id = ${id}`;
    platform.startWorker();
    await isReady(platform, id, 1);
    dead.open();
    await ended;
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 1, phase: "READY", applied: 1 });
    expect(platform.backend.created).toHaveLength(1);
    expect(platform.backend.running()).toHaveLength(1);
  });
});

it("a worker that takes over an instance with older content loses no later write", async () => {
  const platform = open();
  const id = await platform.createWorkspace();
  await platform.writeFiles(id, { "a.md": "v1" });
  const dead = gate();
  let hits = 0;
  const zombie = platform.startWorker(async (name) => {
    if (name !== "after_create") return;
    hits += 1;
    await dead.wait();
    throw new Error("a zombie");
  });
  await waitUntil("the first worker is caught", () => hits > 0);
  const ended = zombie.stop();
  await platform.writeFiles(id, { "a.md": "v2" });
  await database.sql`
    UPDATE workspaces SET lease_owner = NULL, lease_until = NULL, lease_epoch = lease_epoch + 1
    WHERE id = ${id}`;
  platform.startWorker();
  await isReady(platform, id, 2);
  dead.open();
  await ended;
  await isAtRest(platform, id);
  const files = platform.backend
    .running()[0]
    ?.spec.files.filter(({ path }) => path.startsWith("a"));
  expect(files?.map(({ path, content }) => [path, new TextDecoder().decode(content)])).toEqual([
    ["a.md", "v2"],
  ]);
});

describe("the sweeper", () => {
  it("removes what nobody wants and keeps the current attempt", async () => {
    const platform = open({ settings: { orphanGraceMs: 100 } });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await platform.click(id);
    await isReady(platform, id, 2);
    const current = platform.backend.running()[0];
    if (current === undefined) throw new Error("an instance runs");
    const signal = new AbortController().signal;
    await platform.backend.create({ ...current.spec, attemptNo: 1 }, signal);
    await platform.backend.create(
      { ...current.spec, workspaceId: "00000000-0000-4000-8000-000000000000" },
      signal,
    );
    platform.startSweeper();
    await waitUntil("only the current one is left", () => platform.backend.running().length === 1);
    expect(platform.backend.running()[0]?.providerId).toBe(current.providerId);
  });

  it("removes nothing when it would empty the machine", async () => {
    const platform = open({ settings: { orphanGraceMs: 0 } });
    platform.startWorker();
    for (let i = 0; i < 7; i += 1) await platform.createWorkspace();
    await waitUntil("all run", () => platform.backend.running().length === 7);
    await database.sql`DELETE FROM workspaces`;
    const sweeper = platform.startSweeper();
    for (let pass = 0; pass < 3; pass += 1) await sweeper.sweep(new AbortController().signal);
    expect(platform.backend.running()).toHaveLength(7);
  });
});
