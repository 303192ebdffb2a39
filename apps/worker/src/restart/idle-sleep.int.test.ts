import { randomUUID } from "node:crypto";
import type { Transaction } from "@molecule/db/database";
import { acceptMessage } from "@molecule/db/queue/accept-message";
import { updateWorkspace } from "@molecule/db/workspaces/update-workspace";
import { describe, expect, it } from "vitest";
import type { FakePlatform } from "./fake-platform.ts";
import { until, useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, isReady, isAtRest, phaseIs, later, attemptOf, gate } = bed;
const MINUTE = 60_000;

const sleepAfter = (id: string, minutes: number | null) =>
  bed.database.db.transaction((tx) => updateWorkspace(tx, id, { hibernationIdleMinutes: minutes }));

async function rowOf(id: string) {
  const [row] = await bed.sql`
    SELECT intent, lease_epoch, extract(epoch FROM next_action_at - cp_now()) AS due_in
    FROM workspaces WHERE id = ${id}`;
  return { intent: row?.intent, epoch: row?.lease_epoch, dueIn: Number(row?.due_in) };
}

const accept = (tx: Transaction, id: string, isSent: boolean) =>
  acceptMessage(
    tx,
    {
      targetId: id,
      targetName: "it",
      callerId: null,
      actorName: "Ada",
      method: "message/send",
      messageId: randomUUID(),
      envelope: { params: { message: { parts: [] } } },
    },
    isSent ? { owner: "server", leaseMs: 86_400_000 } : null,
  );

/** An idle agent that sleeps after ten minutes, at rest. */
async function idle(): Promise<{ platform: FakePlatform; id: string }> {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  await sleepAfter(id, 10);
  await isAtRest(platform, id);
  return { platform, id };
}

/** The worker has looked at it and left it up. */
async function staysUp(platform: FakePlatform, id: string): Promise<void> {
  await isAtRest(platform, id);
  expect((await rowOf(id)).intent).toBe("run");
}

describe("an idle agent", () => {
  it("P8: sleeps after its minutes, says why, and was looked at by nobody in between", async () => {
    const { platform, id } = await idle();
    const before = await rowOf(id);
    expect(before.dueIn).toBeGreaterThan(580);
    expect(before.dueIn).toBeLessThanOrEqual(600);
    await later(9 * MINUTE);
    const other = await platform.createWorkspace();
    await isReady(platform, other, 1);
    expect(await rowOf(id)).toMatchObject({ intent: "run", epoch: before.epoch });
    await later(10 * MINUTE);
    await phaseIs(platform, id, "PAUSED");
    expect(await platform.see(id)).toMatchObject({ intent: "hibernated", attempt: 1 });
    expect(platform.backend.running().map((one) => one.workspaceId)).toEqual([other]);
    const [told] = await bed.sql`
      SELECT summary, actor_name FROM activity WHERE workspace_id = ${id} AND summary LIKE 'Put to sleep%'`;
    expect(told).toEqual({
      summary: "Put to sleep after 10 minutes without work; a message wakes it",
      actor_name: "Molecule",
    });
    expect((await platform.events(id)).map(({ event }) => event)).toContain("WORKSPACE_HIBERNATED");
  });

  it("P8: is woken by a message and sleeps again after it", async () => {
    const { platform, id } = await idle();
    await later(11 * MINUTE);
    await phaseIs(platform, id, "PAUSED");
    await platform.intent(id, "wake");
    await isReady(platform, id, 2);
    expect(await attemptOf(platform, id, 2)).toMatchObject({ reason: "wake" });
    await isAtRest(platform, id);
    expect((await rowOf(id)).dueIn).toBeGreaterThan(500);
    await later(11 * MINUTE);
    await phaseIs(platform, id, "PAUSED");
  });

  it("P8: whose minutes are taken away never sleeps", async () => {
    const { platform, id } = await idle();
    await sleepAfter(id, null);
    await later(1_000 * MINUTE);
    await staysUp(platform, id);
  });

  it("P9: stays up while it works, and its time begins when it has ended", async () => {
    const { platform, id } = await idle();
    await platform.beat({ workspaceId: id, attemptNo: 1 }, 1);
    await later(11 * MINUTE);
    await until("it was looked at", async () => (await rowOf(id)).dueIn > 500);
    await staysUp(platform, id);
    await later(8 * MINUTE);
    await platform.beat({ workspaceId: id, attemptNo: 1 }, 0);
    await later(3 * MINUTE);
    await until("it was looked at again", async () => (await rowOf(id)).dueIn > 300);
    await staysUp(platform, id);
    await later(8 * MINUTE);
    await phaseIs(platform, id, "PAUSED");
  });

  it("P9: stays up while a message waits, and while a saved change is held back", async () => {
    const { platform, id } = await idle();
    const held = await platform.createWorkspace({ policy: "hold" });
    await isReady(platform, held, 1);
    await platform.writeFiles(held, { "a.md": "1" });
    await sleepAfter(held, 10);
    await bed.database.db.transaction((tx) => accept(tx, id, false));
    await later(30 * MINUTE);
    await until("it was looked at", async () => (await rowOf(id)).dueIn > 500);
    await staysUp(platform, id);
    await staysUp(platform, held);
  });

  it("P10: a message that is being accepted keeps it awake", async () => {
    const { platform, id } = await idle();
    const commit = gate();
    const accepted = gate();
    const accepting = bed.database.db.transaction(async (tx) => {
      const answer = await accept(tx, id, true);
      accepted.open();
      await commit.wait();
      return answer;
    });
    await accepted.wait();
    const before = await rowOf(id);
    await later(11 * MINUTE);
    await until("the worker tries", async () => (await rowOf(id)).epoch !== before.epoch);
    commit.open();
    expect(await accepting).toMatchObject({ kind: "new", isWaiting: false });
    await until("it was looked at", async () => (await rowOf(id)).dueIn > 500);
    await staysUp(platform, id);
  });

  it("P10: a message that comes too late is not sent but waits", async () => {
    const { platform, id } = await idle();
    await later(11 * MINUTE);
    await phaseIs(platform, id, "PAUSED");
    const answer = await bed.database.db.transaction((tx) => accept(tx, id, true));
    expect(answer).toMatchObject({ kind: "new", isWaiting: true });
    const [item] =
      await bed.sql`SELECT status, dispatched_at FROM a2a_queue WHERE workspace_id = ${id}`;
    expect(item).toEqual({ status: "queued", dispatched_at: null });
  });
});
