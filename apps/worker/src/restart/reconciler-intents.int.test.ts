import { stopTrying } from "@molecule/db/lifecycle/stop-trying";
import { describe, expect, it } from "vitest";
import { ADA } from "./fake-platform.ts";
import { refusedByMachine, until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, gate, phaseIs, isReady, isAtRest, attemptOf } = bed;

describe("pause, resume and delete", () => {
  it.each(["READY", "BOOTING"] as const)(
    "I52 pauses in %s with its team and resumes",
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
        await until("attempt 2 began", async () => (await platform.see(one)).attempt === 2);
        expect(await attemptOf(platform, one, 2)).toMatchObject({
          reason: "resume",
          sentence: "resumed by Ada",
        });
      }
    },
  );

  it("R29 I52 resumes what had failed, also when nobody had carried out the pause", async () => {
    const platform = open();
    const worker = platform.startWorker();
    platform.backend.before("create", () => Promise.reject(refusedByMachine(false)));
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BACKOFF");
    await bed.database.db.transaction((tx) => stopTrying(tx, { workspaceId: id, actor: ADA }));
    platform.backend.before("create", null);
    const before = (await platform.see(id)).attempt;
    await worker.stop();
    await platform.intent(id, "pause");
    await platform.intent(id, "resume");
    platform.startWorker();
    await until("another attempt", async () => (await platform.see(id)).attempt > before);
    expect(await attemptOf(platform, id, before + 1)).toMatchObject({ reason: "resume" });
    await isReady(platform, id, before + 1);
  });

  it("R29 resumes what a killed worker had stopped and told nobody of: no crash", async () => {
    const platform = open();
    const worker = platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    await worker.stop();
    await platform.intent(id, "pause");
    const signal = AbortSignal.timeout(10_000);
    await platform.backend.remove({ workspaceId: id, attemptNo: 1 }, signal);
    await platform.intent(id, "resume");
    platform.startWorker();
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({ reason: "resume" });
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(2);
  });

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
    "I49 deletes in %s and leaves nothing",
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
      const [row] = await bed.sql`
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
