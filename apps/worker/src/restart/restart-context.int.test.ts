import { endDelivery } from "@molecule/db/queue/end-delivery";
import { describe, expect, it } from "vitest";
import type { FakePlatform } from "./fake-platform.ts";
import { useRestartBed } from "./restart-bed.fixture.ts";

const bed = useRestartBed();
const { open, isReady, isAtRest, phaseIs, later, attemptOf } = bed;

interface SeenNote {
  readonly id: string;
  readonly key: string;
  readonly status: string;
  readonly text: string;
  readonly metadata: unknown;
  readonly type: string;
  readonly actor: string;
}

/** The notes of the workspace, oldest first. */
async function notesOf(id: string): Promise<SeenNote[]> {
  const rows = await bed.sql`
    SELECT q.id, q.idempotency_key, q.status, q.body, a.activity_type, a.actor_name
    FROM a2a_queue q JOIN activity a ON a.id = q.id WHERE q.workspace_id = ${id} ORDER BY a.seq`;
  return rows.map((row) => ({
    id: String(row.id),
    key: String(row.idempotency_key),
    status: String(row.status),
    text: row.body.params.message.parts[0].text,
    metadata: row.body.params.message.metadata,
    type: String(row.activity_type),
    actor: String(row.actor_name),
  }));
}

/** The agent has the note, as the server stores it. */
async function deliver(note: SeenNote | undefined): Promise<void> {
  await bed.database.db.transaction((tx) =>
    endDelivery(
      tx,
      { id: note?.id ?? "", owner: null },
      {
        status: "ok",
        responseBody: {},
        toolTrace: null,
        errorDetail: null,
        durationMs: 1,
        wasNeverSent: false,
        isForPerson: true,
      },
    ),
  );
}

async function started(platform: FakePlatform): Promise<string> {
  platform.startWorker();
  const id = await platform.createWorkspace();
  await isReady(platform, id, 1);
  return id;
}

describe("what an agent is told about its restart", () => {
  it("C1: is nothing at its first start, and nothing when it is resumed as it was", async () => {
    const platform = open();
    const id = await started(platform);
    await platform.intent(id, "pause");
    await phaseIs(platform, id, "PAUSED");
    await platform.intent(id, "resume");
    await isReady(platform, id, 2);
    expect(await notesOf(id)).toEqual([]);
    const told = await bed.sql`
      SELECT count(*)::int AS told FROM attempts
      WHERE workspace_id = ${id} AND restart_context_at IS NOT NULL`;
    expect(told[0]?.told).toBe(2);
  });

  it("C5: is queued once, when its own attempt has registered and beaten, under the attempt's id", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await platform.writeSecret(id, "API_KEY", "canary-4711");
    await platform.writeFiles(id, { "a.md": "canary-4712", "b.md": "2" });
    await bed.isBooting(platform, id, 2);
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    expect(await notesOf(id)).toEqual([]);
    await platform.beat({ workspaceId: id, attemptNo: 2 });
    await platform.beat({ workspaceId: id, attemptNo: 2 });
    await isReady(platform, id, 2);
    const [note, ...others] = await notesOf(id);
    expect(others).toEqual([]);
    expect(note).toMatchObject({
      key: `restart-context:${id}:2`,
      status: "queued",
      type: "lifecycle",
      actor: "Molecule",
      metadata: {
        source: "platform",
        kind: "restart_context",
        layer: 1,
        restart_context: true,
        attempt: 2,
      },
    });
    expect(note?.text).toContain("- secrets: API_KEY (by Ada)");
    expect(note?.text).toContain("- files in /configs: a.md, b.md (by Ada)");
    expect(note?.text).toContain("(names only): API_KEY");
    const [all] = await bed.sql`
      SELECT string_agg(to_jsonb(a)::text, '') AS activity FROM activity a WHERE workspace_id = ${id}`;
    expect(`${all?.activity}`).not.toContain("canary");
  });

  it("C5: names no key that came after the snapshot", async () => {
    const platform = open();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await isReady(platform, id, 1);
    const creating = bed.gate();
    platform.backend.before("create", creating.wait);
    await platform.click(id);
    await phaseIs(platform, id, "CREATING");
    await platform.writeSecret(id, "LATER_KEY", "x");
    creating.open();
    await isReady(platform, id, 3);
    const [second, third] = await notesOf(id);
    expect(second?.text).not.toContain("LATER_KEY");
    expect(third?.text).toContain("LATER_KEY");
  });

  it("C6: is told with the next start when the agent ended before, and only once", async () => {
    const platform = open();
    const id = await started(platform);
    await platform.writeFiles(id, { "first.md": "1" });
    await isReady(platform, id, 2);
    await platform.writeFiles(id, { "second.md": "1" });
    await isReady(platform, id, 3);
    const [second, third] = await notesOf(id);
    expect([second?.status, third?.status]).toEqual(["dropped", "queued"]);
    expect(third?.text).toContain("- attempt 2: 1 file changed by Ada");
    expect(third?.text).toContain("first.md, second.md");
    await deliver(third);
    await platform.writeFiles(id, { "third.md": "1" });
    await isReady(platform, id, 4);
    const fourth = (await notesOf(id)).at(-1);
    expect(fourth?.text).toContain("- files in /configs: third.md (by Ada)");
    expect(fourth?.text).not.toContain("first.md");
    expect(fourth?.text).not.toContain("not told of");
    await isAtRest(platform, id);
  });

  it("C5: names what a failed start would have changed, when a later one succeeds", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await isReady(platform, id, 1);
    await platform.writeFiles(id, { "a.md": "1" });
    await bed.isBooting(platform, id, 2);
    await later(700_000);
    await phaseIs(platform, id, "BACKOFF");
    await later(20_000);
    await bed.isBooting(platform, id, 3);
    await platform.beat({ workspaceId: id, attemptNo: 3 });
    await isReady(platform, id, 3);
    const [note, ...others] = await notesOf(id);
    expect(others).toEqual([]);
    expect(note).toMatchObject({ key: `restart-context:${id}:3` });
    expect(note?.text).toContain("another try");
    expect(note?.text).toContain("- files in /configs: a.md (by Ada)");
    expect((await attemptOf(platform, id, 2))?.outcome).toBe("boot_timeout");
  });

  it("C5: is queued once although the worker and the server both make the attempt ready", async () => {
    const platform = open({ agentsBeat: false });
    platform.startWorker();
    platform.startWorker();
    const id = await platform.createWorkspace();
    await phaseIs(platform, id, "BOOTING");
    await platform.beat({ workspaceId: id, attemptNo: 1 });
    await isReady(platform, id, 1);
    await platform.click(id);
    await bed.isBooting(platform, id, 2);
    await Promise.all(
      Array.from({ length: 4 }, () => platform.beat({ workspaceId: id, attemptNo: 2 })),
    );
    await bed.loseLease(id);
    await isReady(platform, id, 2);
    await isAtRest(platform, id);
    expect((await notesOf(id)).map((note) => note.key)).toEqual([`restart-context:${id}:2`]);
  });
});
