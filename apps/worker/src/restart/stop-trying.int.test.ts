import { applyNow } from "@molecule/db/lifecycle/apply-now";
import { stopTrying } from "@molecule/db/lifecycle/stop-trying";
import { expect, it } from "vitest";
import type { FakePlatform } from "./fake-platform.ts";
import { useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, later, phaseIs, isReady, isAtRest } = bed;
const ADA = { kind: "member", id: "ada", name: "Ada" } as const;

const stop = (id: string) =>
  bed.database.db.transaction((tx) => stopTrying(tx, { workspaceId: id, actor: ADA }));

/** An agent that crashed, with a save that waits for the next try; nobody tries any more. */
async function stopped(): Promise<{ readonly platform: FakePlatform; readonly id: string }> {
  const platform = open();
  platform.startWorker();
  platform.startProber();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  platform.backend.crash({ workspaceId: id, attemptNo: 1 }, "exit code 1");
  await phaseIs(platform, id, "BACKOFF");
  await platform.writeFiles(id, { "before.md": "saved before" });
  expect((await stop(id)).kind).toBe("stop");
  return { platform, id };
}

it("L1: no try follows the stop, not even for what was saved before it", async () => {
  const { platform, id } = await stopped();
  await later(86_400_000);
  await isAtRest(platform, id);
  expect(await platform.see(id)).toMatchObject({
    phase: "FAILED",
    attempt: 1,
    failure: { next: expect.stringContaining("Restart it") },
  });
  expect((await stop(id)).kind).toBe("stopped");
  const told = (await platform.events(id)).findLast(
    ({ event }) => event === "WORKSPACE_PROVISION_FAILED",
  );
  expect(told?.payload).toMatchObject({ attempt: 1, source: "stop_trying" });
});

it("L1: a later save begins by the settle rule, and carries what was saved before", async () => {
  const { platform, id } = await stopped();
  await platform.writeFiles(id, { "after.md": "saved after" });
  await isReady(platform, id, 2);
  await isAtRest(platform, id);
  const seen = await platform.see(id);
  expect(seen.applied).toBe(seen.desired);
  const [instance] = platform.backend.running();
  const paths = instance?.spec.files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["before.md", "after.md"]));
});

it("L1: a click begins at once", async () => {
  const { platform, id } = await stopped();
  await platform.click(id);
  await isReady(platform, id, 2);
});

it("L1: applying now is a wish of its own", async () => {
  const { platform, id } = await stopped();
  await bed.database.db.transaction((tx) => applyNow(tx, { workspaceId: id }));
  await isReady(platform, id, 2);
});

it("L2: what runs, and a click that has not begun, are not stopped", async () => {
  const platform = open();
  const id = await platform.createWorkspace();
  expect((await stop(id)).kind).toBe("nothing");
  await bed.sql`UPDATE workspaces SET phase = 'BACKOFF', current_attempt = 1,
    next_action_at = cp_now() + interval '1 hour' WHERE id = ${id}`;
  await platform.click(id);
  expect((await stop(id)).kind).toBe("nothing");
  const [row] = await bed.sql`SELECT phase, next_action_at <= cp_now() AS due
    FROM workspaces WHERE id = ${id}`;
  expect(row).toEqual({ phase: "BACKOFF", due: true });
});
