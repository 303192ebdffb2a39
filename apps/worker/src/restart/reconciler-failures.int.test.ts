import { reportBootstrap } from "@molecule/db/lifecycle/report-bootstrap";
import { describe, expect, it } from "vitest";
import { BackendError } from "../provisioning/compute-backend.ts";
import { refusedByMachine, until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, phaseIs, isReady, isAtRest, attemptOf } = bed;

describe("failures", () => {
  it("I53 a boot timeout waits and tries again, and five of one generation are final", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await until(`attempt ${attempt} boots`, async () => {
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
    await until("a write heals", async () => (await platform.see(id)).attempt === 6);
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
    const [row] = await bed.sql`SELECT log_excerpt FROM attempts WHERE workspace_id = ${id}`;
    expect(row?.log_excerpt).toBe("fake instance of attempt 1");
  });

  it("R11 a machine that reports that it cannot start ends this attempt, once, and the next try follows", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    const report = (attemptNo: number | null, logTail = "no disk image") =>
      bed.database.db.transaction((tx) =>
        reportBootstrap(tx, { workspaceId: id, attemptNo, logTail }),
      );
    expect(await report(2)).toBe(false);
    const answers = await Promise.all([report(1), report(null), report(1)]);
    expect(answers.filter((isNoted) => isNoted)).toEqual([true]);
    await phaseIs(platform, id, "BACKOFF");
    expect(await report(null)).toBe(false);
    expect((await platform.see(id)).failure?.sentence).toBe(
      "The agent ended before it reported (its machine reported that it cannot start).",
    );
    const told = (await platform.events(id)).find(
      ({ event }) => event === "WORKSPACE_PROVISION_FAILED",
    );
    expect(told?.payload).toMatchObject({ log_tail: "no disk image", will_retry: true });
    const [row] =
      await bed.sql`SELECT log_excerpt, outcome FROM attempts WHERE workspace_id = ${id}`;
    expect(row).toMatchObject({ log_excerpt: "no disk image", outcome: "boot_failed" });
    await later(170_000);
    await bed.isBooting(platform, id, 2);
    // What is said late about the first attempt changes nothing of the second.
    expect(await report(1)).toBe(false);
    expect((await platform.see(id)).phase).toBe("BOOTING");
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
    await until("the prober has made its first round", async () => {
      const before = performance.now();
      return await until("some rounds", () => performance.now() - before > 100);
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
    await until("it is suspected", async () => {
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
    await until("the failure is shown", async () => {
      const seen = await platform.see(id);
      return seen.phase === "STOPPING" && seen.failure?.code === "stop_failed";
    });
    await later(601_000);
    await until("a person is told", async () => {
      const rows = await bed.sql`
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
      if (failures >= 0) throw refusedByMachine(true);
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
      await until(`attempt ${attempt} waits`, async () => {
        const seen = await platform.see(id);
        return seen.attempt === attempt && seen.phase === "BACKOFF";
      });
      if (attempt === 7) platform.backend.before("create", null);
      await later(301_000);
    }
    await isReady(platform, id, 8);
  });
});
