import { randomUUID } from "node:crypto";
import { endMaking, insertOrgImport } from "@molecule/db/orgs/org-imports";
import { expect, it } from "vitest";
import { ADA, type FakePlatform } from "../restart/fake-platform.ts";
import { until, useRestartBed } from "../restart/restart-bed.fixture.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import { startImportPacer } from "./import-pacer.ts";

const bed = useRestartBed();

/** Workspaces as an import has made them: none is due before its turn. */
async function importOf(platform: FakePlatform, count: number): Promise<string> {
  const id = randomUUID();
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push(await platform.createWorkspace());
  await bed.sql`UPDATE workspaces SET next_action_at = cp_now() + interval '1 day'`;
  await bed.database.db.transaction(async (tx) => {
    const nodes = ids.map((workspaceId, position) => ({
      position,
      parent: null,
      level: 0,
      name: `N${position}`,
      path: `N${position}`,
      outcome: "created" as const,
      note: null,
      workspaceId,
    }));
    await insertOrgImport(tx, { id, org: "Team", staged: false, actor: ADA, nodes });
    await endMaking(tx, id);
  });
  return id;
}

it("OR7: two workers start a team, never more than three of it at a time, and end its import", async () => {
  const platform = bed.open();
  const id = await importOf(platform, 8);
  let most = 0;
  platform.backend.before("create", async () => {
    const [row] = await bed.sql`SELECT count(*)::int AS n FROM workspaces
      WHERE phase IN ('STOPPING', 'CREATING', 'BOOTING')`;
    most = Math.max(most, Number(row?.n));
  });
  platform.startWorker();
  platform.startWorker();
  const { db } = bed.database;
  const pacers = [1, 2].map(() => startImportPacer({ db, log: SILENT_LOG }));
  try {
    await until("the import is over", async () => {
      const [row] = await bed.sql`SELECT state FROM org_imports WHERE id = ${id}`;
      return row?.state === "done";
    });
  } finally {
    for (const stop of pacers) await stop();
  }
  const phases = await bed.sql`SELECT phase FROM workspaces WHERE phase <> 'READY'`;
  expect(phases).toEqual([]);
  expect(most).toBeLessThanOrEqual(3);
});

it("OR9: what was made at rest shows the key it lacks until it has it, and does not start", async () => {
  const platform = bed.open();
  const id = await platform.createWorkspace({ requiredEnv: ["SOME_KEY"] });
  await bed.sql`UPDATE workspaces SET intent = 'paused', phase = 'PAUSED', next_action_at = cp_now()`;
  platform.startWorker();
  const missing = async () => {
    const [row] =
      await bed.sql`SELECT failure->'missing' AS missing FROM workspaces WHERE id = ${id}`;
    return row?.missing ?? null;
  };
  await until("the key is named", async () => (await missing()) !== null);
  expect(await missing()).toEqual(["SOME_KEY"]);
  await platform.writeSecret(id, "SOME_KEY", "there");
  await until("nothing is lacking", async () => (await missing()) === null);
  expect((await platform.see(id)).attempt).toBe(0);
});
