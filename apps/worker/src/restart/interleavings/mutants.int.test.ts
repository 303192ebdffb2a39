import { recordWrite } from "@molecule/db/changes/record-write";
import { claimDue } from "@molecule/db/claim";
import type { Transaction } from "@molecule/db/database";
import { writeManagedFile } from "@molecule/db/files/managed-files";
import { beginAttempt } from "@molecule/db/lifecycle/begin-attempt";
import {
  type Fence,
  type HeldWorkspace,
  holdWorkspace,
} from "@molecule/db/lifecycle/held-workspace";
import { recordCreated } from "@molecule/db/lifecycle/record-created";
import {
  type AttemptContent,
  readContent,
  takeSnapshot,
} from "@molecule/db/lifecycle/take-snapshot";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { describe, expect, it } from "vitest";
import { ADA, type FakePlatform } from "../fake-platform.ts";
import { specOf } from "../instance-spec.ts";
import { until, useRestartBed } from "../restart-bed.fixture.ts";

/**
 * Wrong variants of lifecycle A1 that live in SQL and the worker, step by step on Postgres with the real
 * functions in the wrong order. Each is told by the check that the right order passes.
 */
const bed = useRestartBed();
const { open, gate, isReady, isAtRest, loseLease } = bed;
const FILE = "number.md";
const never = new AbortController().signal;

/** A workspace that runs, and nobody who works on it. */
async function atRest(): Promise<{ readonly platform: FakePlatform; readonly id: string }> {
  const platform = open();
  const worker = platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  await isAtRest(platform, id);
  await worker.stop();
  return { platform, id };
}

async function claim(id: string, owner: string): Promise<Fence> {
  await bed.sql`UPDATE workspaces SET next_action_at = cp_now() WHERE id = ${id}`;
  const [claimed] = await claimDue(bed.database.db, "workspaces", {
    owner,
    leaseMs: 600_000,
    limit: 1,
  });
  if (claimed === undefined) throw new Error("it is due");
  return { workspaceId: id, epoch: claimed.epoch, owner };
}

async function holding<T>(
  fence: Fence,
  work: (tx: Transaction, held: HeldWorkspace) => Promise<T>,
): Promise<T | null> {
  return await bed.database.db.transaction(async (tx) => {
    const held = await holdWorkspace(tx, fence);
    return held === null ? null : await work(tx, held);
  });
}

/** Whoever holds the lease: what a worker does that does not look at its epoch. */
async function fenceOfAnybody(id: string): Promise<Fence> {
  const [row] = await bed.sql`SELECT lease_epoch, lease_owner FROM workspaces WHERE id = ${id}`;
  if (row?.lease_owner == null) return await claim(id, crypto.randomUUID());
  return { workspaceId: id, epoch: Number(row.lease_epoch), owner: String(row.lease_owner) };
}

const begin = (fence: Fence) =>
  holding(fence, (tx, held) => beginAttempt(tx, held, { reason: "files", stopAlertMs: 600_000 }));

const snapshot = (platform: FakePlatform, fence: Fence) =>
  holding(fence, async (tx, held) => {
    const taken = await takeSnapshot(tx, held, platform.sources, { createTimeoutMs: 180_000 });
    if (taken.kind === "refused") throw new Error("nothing is missing");
    return taken.content;
  });

function numberIn(files: readonly { path: string; content: Uint8Array }[]): number {
  const file = files.find(({ path }) => path === FILE);
  return file === undefined ? 1 : Number(new TextDecoder().decode(file.content));
}

/** The history's check: an attempt answers for no generation that its content does not hold. */
async function isStale(id: string, content: AttemptContent | null): Promise<boolean> {
  if (content === null) throw new Error("there is content");
  const [row] = await bed.sql`
    SELECT snap_gen::int FROM attempts WHERE workspace_id = ${id} AND no = ${content.attemptNo}`;
  return numberIn(content.files) < Number(row?.snap_gen);
}

/** The check at rest: what is said to be applied is not what runs. */
async function isLost(platform: FakePlatform, id: string): Promise<boolean> {
  const seen = await platform.see(id);
  const [stored] = await bed.sql`
    SELECT convert_from(content, 'UTF8') AS text FROM managed_files
    WHERE workspace_id = ${id} AND path = ${FILE}`;
  const running = platform.backend.running().find(({ workspaceId }) => workspaceId === id);
  const runsWith = numberIn(running?.spec.files ?? []);
  return seen.applied === seen.desired && runsWith < Number(stored?.text ?? 1);
}

describe("M1: content before generation", () => {
  it("is told by the attempt's history", async () => {
    const { platform, id } = await atRest();
    await platform.writeNumbered(id, FILE, true);
    const fence = await claim(id, crypto.randomUUID());
    await begin(fence);
    const early = await holding(fence, async (tx, held) => {
      const read = await readContent(tx, held, platform.sources);
      return read.kind === "content" ? read.content : null;
    });
    await platform.writeNumbered(id, FILE, true);
    await snapshot(platform, fence);
    expect(await isStale(id, early)).toBe(true);
  });

  it("does not come about: a write beside the snapshot waits for it", async () => {
    const { platform, id } = await atRest();
    await platform.writeNumbered(id, FILE, true);
    const fence = await claim(id, crypto.randomUUID());
    await begin(fence);
    let written: Promise<unknown> = Promise.resolve();
    const content = await holding(fence, async (tx, held) => {
      written = platform.writeNumbered(id, FILE, true);
      await until("the write waits", async () => {
        const rows = await bed.sql`
          SELECT 1 FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        return rows.length > 0;
      });
      const taken = await takeSnapshot(tx, held, platform.sources, { createTimeoutMs: 180_000 });
      return taken.kind === "content" ? taken.content : null;
    });
    await written;
    expect(await isStale(id, content)).toBe(false);
  });
});

describe("M3: no fence on what a worker writes", () => {
  it("is told by an attempt that nothing asked for", async () => {
    const { platform, id } = await atRest();
    await platform.writeNumbered(id, FILE, true);
    await claim(id, crypto.randomUUID());
    await loseLease(id);
    const worker = platform.startWorker();
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    await worker.stop();
    expect(await begin(await fenceOfAnybody(id))).toBe(3);
  });

  it("does not come about: a late worker holds nothing", async () => {
    const { platform, id } = await atRest();
    await platform.writeNumbered(id, FILE, true);
    const late = await claim(id, crypto.randomUUID());
    await loseLease(id);
    const worker = platform.startWorker();
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    await worker.stop();
    expect(await begin(late)).toBeNull();
    expect((await platform.see(id)).attempt).toBe(2);
  });
});

describe("M9: the generation in a transaction before its data", () => {
  const bump = (id: string) => (tx: Transaction) =>
    recordWrite(tx, {
      workspaceId: id,
      actor: ADA,
      stream: "files",
      isBatch: true,
      changes: [{ kind: "file", name: FILE }],
      settings: DEFAULT_SETTLE_SETTINGS,
    });
  const store = (workspaceId: string, generation: number) => (tx: Transaction) => {
    const content = new TextEncoder().encode(String(generation));
    const file = { path: FILE, content, generation, actorName: ADA.name };
    return writeManagedFile(tx, { workspaceId, ...file });
  };

  it("is told at rest: applied is said, and the old file runs", async () => {
    const { platform, id } = await atRest();
    const { db } = bed.database;
    platform.startWorker();
    const { generation } = await db.transaction(bump(id));
    await isReady(platform, id, 2);
    await db.transaction(store(id, generation));
    await isAtRest(platform, id);
    expect(await isLost(platform, id)).toBe(true);
  });

  it("does not come about: the generation of a write that is not done yet is not seen", async () => {
    const { platform, id } = await atRest();
    platform.startWorker();
    const commit = gate();
    let isBumped = false;
    const written = bed.database.db.transaction(async (tx) => {
      const { generation } = await bump(id)(tx);
      isBumped = true;
      await commit.wait();
      await store(id, generation)(tx);
    });
    await until("half of it is written", () => isBumped);
    expect(await platform.see(id)).toMatchObject({ desired: 1, attempt: 1 });
    commit.open();
    await written;
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect(await isLost(platform, id)).toBe(false);
  });
});

describe("M16: no lease, each worker trusts its memory", () => {
  it("is told at rest: the second snapshot names what the first one's instance does not run", async () => {
    const { platform, id } = await atRest();
    await platform.backend.remove({ workspaceId: id, attemptNo: 1 }, never);
    await platform.writeNumbered(id, FILE, true);
    const fence = await claim(id, crypto.randomUUID());
    await begin(fence);
    // Two workers remember that the snapshot is to be taken; a write comes between them.
    const first = await snapshot(platform, fence);
    if (first === null) throw new Error("it is held");
    await platform.backend.create(specOf(first), never);
    await platform.writeNumbered(id, FILE, true);
    const second = await snapshot(platform, await fenceOfAnybody(id));
    if (second === null) throw new Error("it is held");
    const adopted = await platform.backend.create(specOf(second), never);
    const created = { ...adopted, content: second, isExact: true };
    await holding(fence, (tx, held) =>
      recordCreated(tx, held, created, { bootTimeoutMs: 600_000 }),
    );
    await until("it is ready", async () => (await platform.see(id)).phase === "READY");
    expect(await isLost(platform, id)).toBe(true);
  });

  it("does not come about: who takes over goes on from what is stored", async () => {
    const { platform, id } = await atRest();
    const dead = gate();
    let isCaught = false;
    platform.startWorker(async (name) => {
      if (name !== "after_create" || isCaught) return;
      isCaught = true;
      await dead.wait();
      throw new Error("killed");
    });
    await platform.writeNumbered(id, FILE, true);
    await until("the instance is made", () => isCaught);
    await platform.writeNumbered(id, FILE, true);
    await loseLease(id);
    platform.startWorker();
    await isReady(platform, id, 3);
    await isAtRest(platform, id);
    expect(await isLost(platform, id)).toBe(false);
  });
});
