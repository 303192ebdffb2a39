import { randomUUID } from "node:crypto";
import { applyNow, applyPending } from "@molecule/db/lifecycle/apply-now";
import { acceptMessage } from "@molecule/db/queue/accept-message";
import { writePolicies } from "@molecule/db/workspaces/config-rows";
import type { ApplyPolicy } from "@molecule/domain/sets";
import { describe, expect, it } from "vitest";
import type { FakePlatform } from "./fake-platform.ts";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, isReady, isAtRest, phaseIs, later, attemptOf } = bed;

/** An agent that says it is in the middle of one turn. */
async function busy(policy: ApplyPolicy): Promise<{ platform: FakePlatform; id: string }> {
  const platform = open({ agentsBeat: false });
  platform.startWorker();
  const id = await platform.createWorkspace({ policy });
  await phaseIs(platform, id, "BOOTING");
  await platform.beat({ workspaceId: id, attemptNo: 1 }, 1);
  await isReady(platform, id, 1);
  return { platform, id };
}

/** A message that the agent was sent and has not answered. */
async function ask(id: string, text: string, from: string): Promise<void> {
  await bed.database.db.transaction((tx) =>
    acceptMessage(
      tx,
      {
        targetId: id,
        targetName: "it",
        callerId: null,
        actorName: from,
        method: "message/send",
        messageId: randomUUID(),
        envelope: { params: { message: { parts: [{ kind: "text", text }] } } },
      },
      { owner: "server", leaseMs: 3_600_000 },
    ),
  );
}

async function detailOf(id: string, no: number) {
  const [row] = await bed.sql`
    SELECT detail FROM attempts WHERE workspace_id = ${id} AND no = ${no}`;
  return row?.detail as { sentence: string; interrupted?: unknown };
}

/** Time passes in hops, as a beat says something about turns for a while only. */
async function hops(platform: FakePlatform, id: string, count: number): Promise<void> {
  for (let hop = 0; hop < count; hop += 1) {
    await later(70_000);
    await platform.beat({ workspaceId: id, attemptNo: 1 }, 1);
  }
}

describe("running turns", () => {
  it.each(["settle", "idle"] as const)(
    "P5: are awaited under %s, and broken off by nothing",
    async (policy) => {
      const { platform, id } = await busy(policy);
      await platform.writeFiles(id, { "a.md": "1" });
      await hops(platform, id, 3);
      await isAtRest(platform, id);
      expect((await platform.see(id)).attempt).toBe(1);
      await platform.beat({ workspaceId: id, attemptNo: 1 }, 0);
      await later(5_000);
      await bed.isBooting(platform, id, 2);
      expect(await detailOf(id, 2)).toMatchObject({ sentence: "1 file changed by Ada" });
      expect(await detailOf(id, 2)).not.toHaveProperty("interrupted");
    },
  );

  it("P5: are awaited under idle without the limit of settle", async () => {
    const { platform, id } = await busy("idle");
    await platform.writeFiles(id, { "a.md": "1" });
    await hops(platform, id, 14);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 1, desired: 2, applied: 1 });
  });

  it("P5: are awaited from the moment they were sent, before any beat tells of them", async () => {
    const { platform, id } = await busy("idle");
    await platform.beat({ workspaceId: id, attemptNo: 1 }, 0);
    await ask(id, "Think", "Bo");
    await platform.writeFiles(id, { "a.md": "1" });
    await later(60_000);
    await isAtRest(platform, id);
    expect((await platform.see(id)).attempt).toBe(1);
    await bed.sql`UPDATE a2a_queue SET status = 'completed' WHERE workspace_id = ${id}`;
    await later(5_000);
    await bed.isBooting(platform, id, 2);
    expect(await detailOf(id, 2)).not.toHaveProperty("interrupted");
  });

  it("P6: that outlast the limit of settle are named in the attempt and told to its agent", async () => {
    const { platform, id } = await busy("settle");
    await ask(id, "Count\nslowly to 1000", "Bo");
    await platform.writeFiles(id, { "a.md": "1" });
    await hops(platform, id, 8);
    expect((await platform.see(id)).attempt).toBe(1);
    await later(45_000);
    await bed.isBooting(platform, id, 2);
    const sentence = "1 file changed by Ada; broken off: “Count slowly to 1000” from Bo";
    expect(await detailOf(id, 2)).toMatchObject({
      sentence,
      interrupted: [{ title: "Count slowly to 1000", from: "Bo" }],
    });
    const fired = (await platform.events(id)).find(
      ({ event }) => event === "WORKSPACE_AUTO_RESTART_FIRED",
    );
    expect(fired?.payload.detail).toBe(sentence);
    await platform.beat({ workspaceId: id, attemptNo: 2 });
    await isReady(platform, id, 2);
    const [note] = await bed.sql`
      SELECT body #>> '{params,message,parts,0,text}' AS text FROM a2a_queue
      WHERE workspace_id = ${id} AND idempotency_key LIKE 'restart-context:%'`;
    expect(note?.text).toContain("Broken off by the restart:\n- “Count slowly to 1000” from Bo");
  });

  it.each(["settle", "idle", "hold"] as const)(
    "P6: are named by a click under %s, which waits for nobody",
    async (policy) => {
      const { platform, id } = await busy(policy);
      await bed.sql`UPDATE liveness SET current_task = 'Thinking' WHERE workspace_id = ${id}`;
      await platform.click(id);
      await bed.isBooting(platform, id, 2);
      expect((await attemptOf(platform, id, 2))?.sentence).toBe(
        "restarted by Ada; broken off: “Thinking”",
      );
    },
  );
});

describe("hold", () => {
  it("P5: keeps saved changes until the policy changes, and then applies them all at once", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace({ policy: "hold" });
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "a.md": "1" });
    await platform.writeFiles(id, { "b.md": "1" });
    await later(3_600_000);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 1, desired: 3, applied: 1 });
    await bed.database.db.transaction((tx) => writePolicies(tx, id, { applyPolicy: "settle" }));
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 2, desired: 3, applied: 3 });
    await until("the card is told", async () =>
      (await platform.events(id)).some(({ payload }) => payload.apply_policy === "settle"),
    );
  });
});

describe("what a save says of itself", () => {
  const apply = (id: string, policy: ApplyPolicy) =>
    bed.database.db.transaction((tx) => applyPending(tx, { workspaceId: id, policy }));
  const pendingOf = async (id: string) =>
    (await bed.sql`SELECT pending_policy FROM workspaces WHERE id = ${id}`)[0]?.pending_policy;

  it("CF3: held changes wait under any policy, and are applied together by one restart", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace({ policy: "settle" });
    await isReady(platform, id, 1);
    // Saved and held in one transaction, as a save does.
    await bed.sql`UPDATE workspaces SET pending_policy = 'hold' WHERE id = ${id}`;
    await platform.writeFiles(id, { "a.md": "1" });
    await platform.writeFiles(id, { "b.md": "1" });
    await later(3_600_000);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 1, desired: 3, applied: 1 });
    expect(await apply(id, "settle")).toBe(true);
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 2, desired: 3, applied: 3 });
    expect(await pendingOf(id)).toBeNull();
    expect(await apply(id, "settle")).toBe(false);
  });

  it("CF3: what is applied late waits for running turns from then on, not from when it was saved", async () => {
    const { platform, id } = await busy("hold");
    await platform.writeFiles(id, { "a.md": "1" });
    await hops(platform, id, 20);
    await apply(id, "settle");
    await hops(platform, id, 3);
    await isAtRest(platform, id);
    expect(await platform.see(id)).toMatchObject({ attempt: 1, desired: 2 });
    await platform.beat({ workspaceId: id, attemptNo: 1 }, 0);
    await later(5_000);
    await bed.isBooting(platform, id, 2);
    expect(await pendingOf(id)).toBeNull();
  });

  it.each(["hold", "idle"] as const)(
    "CF3: “Apply now” under %s is a save that says so: it waits for running turns, and 10 minutes at most",
    async (policy) => {
      const { platform, id } = await busy(policy);
      await platform.writeFiles(id, { "a.md": "1" });
      await hops(platform, id, 20);
      await bed.database.db.transaction((tx) => applyNow(tx, { workspaceId: id }));
      await hops(platform, id, 2);
      await isAtRest(platform, id);
      expect(await platform.see(id)).toMatchObject({ attempt: 1, desired: 2, applied: 1 });
      await hops(platform, id, 8);
      await bed.isBooting(platform, id, 2);
      expect((await attemptOf(platform, id, 2))?.sentence).toContain("1 file changed by Ada");
    },
  );
});
