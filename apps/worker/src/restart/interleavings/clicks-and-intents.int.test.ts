import { stopTrying } from "@molecule/db/lifecycle/stop-trying";
import { recordBeat } from "@molecule/db/registry/liveness";
import { describe, expect, it } from "vitest";
import { ADA, type FakePlatform } from "../fake-platform.ts";
import { refusedByMachine, until, useRestartBed } from "../restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, gate, phaseIs, isReady, isBooting, isAtRest } = bed;

/** A workspace whose first attempt stays where `phase` says, and what lets it go on. */
async function stuckIn(phase: string) {
  const platform = open({ agentsBeat: phase !== "BOOTING" && phase !== "CREATING" });
  const held = gate();
  const id = await platform.createWorkspace();
  if (phase === "NEW") return { platform, id, held };
  if (phase === "CREATING") platform.backend.before("create", held.wait);
  if (phase === "BACKOFF" || phase === "FAILED") {
    platform.backend.before("create", () => Promise.reject(refusedByMachine(false)));
  }
  platform.startWorker();
  if (phase === "STOPPING" || phase === "DELETING" || phase === "PAUSED" || phase === "DELETED") {
    await isReady(platform, id, 1);
  }
  if (phase === "STOPPING" || phase === "DELETING") platform.backend.before("remove", held.wait);
  if (phase === "STOPPING") await platform.click(id);
  if (phase === "DELETING" || phase === "DELETED") await platform.intent(id, "delete");
  if (phase === "PAUSED") await platform.intent(id, "pause");
  if (phase === "FAILED") {
    await phaseIs(platform, id, "BACKOFF");
    await bed.database.db.transaction((tx) => stopTrying(tx, { workspaceId: id, actor: ADA }));
  }
  await phaseIs(platform, id, phase);
  platform.backend.before("create", phase === "CREATING" ? held.wait : null);
  return { platform, id, held };
}

describe("a click in each state", () => {
  it.each([
    ["NEW", "begins", 1, ["create"]],
    ["STOPPING", "absorbed", 2, ["create", "user"]],
    ["CREATING", "begins", 2, ["create", "user"]],
    ["BOOTING", "begins", 2, ["create", "user"]],
    ["READY", "begins", 2, ["create", "user"]],
    ["BACKOFF", "begins", 2, ["create", "user"]],
    ["FAILED", "begins", 2, ["create", "user"]],
  ] as const)("I18 in %s: %s, attempt %i", async (phase, kind, attempt, reasons) => {
    const { platform, id, held } = await stuckIn(phase);
    expect(await platform.click(id)).toMatchObject({ kind, attempt });
    held.open();
    if (phase === "NEW") platform.startWorker();
    await until("the click was answered for", async () => {
      const [row] = await bed.sql`
        SELECT w.phase IN ('READY', 'BOOTING', 'FAILED') AND w.current_attempt = ${attempt}
          AND (a.snap_force = w.force_seq OR w.phase = 'FAILED') AS done
        FROM workspaces w JOIN attempts a ON a.workspace_id = w.id AND a.no = w.current_attempt
        WHERE w.id = ${id}`;
      return row?.done === true;
    });
    await isAtRestOrBoots(platform, id, attempt);
    expect((await platform.attempts(id)).map(({ reason }) => reason)).toEqual(reasons);
  });

  it.each([
    ["PAUSED", "workspace_paused"],
    ["DELETING", "removed"],
    ["DELETED", "removed"],
  ])("I18 in %s: refused as %s, and nothing begins", async (phase, code) => {
    const { platform, id, held } = await stuckIn(phase);
    await expect(platform.click(id)).rejects.toMatchObject({ code });
    held.open();
    await phaseIs(platform, id, phase === "PAUSED" ? "PAUSED" : "DELETED");
    expect((await platform.attempts(id)).map(({ no }) => no)).toEqual([1]);
    expect(platform.backend.running()).toEqual([]);
  });
});

/** One instance of the attempt at most, and none of another. */
async function isAtRestOrBoots(platform: FakePlatform, id: string, attempt: number) {
  await until("nothing else runs", () =>
    platform.backend.running().every((one) => one.attemptNo === attempt),
  );
  expect((await platform.see(id)).attempt).toBe(attempt);
}

describe("delete where nothing runs", () => {
  it.each(["BACKOFF", "PAUSED", "DELETING"])("I49 in %s leaves nothing", async (phase) => {
    const { platform, id, held } = await stuckIn(phase);
    if (phase === "DELETING") await expect(platform.intent(id, "delete")).rejects.toThrow();
    else await platform.intent(id, "delete");
    held.open();
    await phaseIs(platform, id, "DELETED");
    expect(await platform.backend.list()).toEqual([]);
    const [row] = await bed.sql`
      SELECT count(*)::int AS left FROM workspace_tokens
      WHERE workspace_id = ${id} AND revoked_at IS NULL`;
    expect(row?.left).toBe(0);
  });
});

it("I51 an external agent loses no token by a click, a sweep or silence, and comes back with its beat", async () => {
  const platform = open();
  platform.startWorker();
  const id = await platform.createWorkspace({ backend: "external" });
  await bed.sql`
    INSERT INTO workspace_tokens (workspace_id, kind, token_sha256, prefix)
    VALUES (${id}, 'external', sha256('external'), 'wst_')`;
  const beat = () =>
    bed.database.db.transaction((tx) => recordBeat(tx, { workspaceId: id, attemptNo: null }));
  const status = async () => {
    const [row] = await bed.sql`SELECT status FROM workspace_statuses WHERE workspace_id = ${id}`;
    return row?.status;
  };
  expect(await status()).toBe("awaiting_agent");
  await beat();
  expect(await status()).toBe("online");
  expect(await platform.click(id)).toMatchObject({ kind: "external", attempt: null });
  await platform.startSweeper().sweep(new AbortController().signal);
  await later(91_000);
  await platform.startProber().probe();
  expect(await status()).toBe("awaiting_agent");
  await platform.startSweeper().sweep(new AbortController().signal);
  const [token] = await bed.sql`
    SELECT revoked_at FROM workspace_tokens WHERE workspace_id = ${id}`;
  expect(token).toEqual({ revoked_at: null });
  await beat();
  expect(await status()).toBe("online");
  await isAtRest(platform, id);
  expect(await platform.attempts(id)).toEqual([]);
});

it("I48 a token is good for its first use, whatever has swept since it was issued", async () => {
  const platform = open({ agentsBeat: false });
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isBooting(platform, id, 1);
  await platform.beat({ workspaceId: id, attemptNo: 1 });
  await isReady(platform, id, 1);
  await platform.click(id);
  await isBooting(platform, id, 2);
  for (let pass = 0; pass < 3; pass += 1) {
    await platform.startSweeper().sweep(new AbortController().signal);
    await platform.startProber().probe();
  }
  expect(await platform.beat({ workspaceId: id, attemptNo: 1 })).toBe(409);
  expect(await platform.beat({ workspaceId: id, attemptNo: 2 })).toBe(200);
  await isReady(platform, id, 2);
});
