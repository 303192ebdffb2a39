import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { until, useRestartBed } from "./restart-bed.fixture.ts";
import { restartSettings } from "./settings.ts";

const bed = useRestartBed();
const { open } = bed;

/** All of them in `npm run test:long`. */
const WORKSPACES = process.env.MOLECULE_TEST_LONG === "1" ? 250 : 60;
const WORKERS = 3;
const PATIENCE_MS = 180_000;

it(`${WORKSPACES} due workspaces are served by 3 workers in the order they became due, each once`, async () => {
  const { lifecycle } = restartSettings({
    scale: 1,
    bootTimeoutMs: 600_000,
    leaseMs: 15_000,
    pollMs: 20,
    concurrency: 8,
  });
  // The first beat wakes a start; looking after 250 of them twice a second is not what is counted here.
  const platform = open({ settings: { lifecycle: { ...lifecycle, bootPollMs: 600_000 } } });
  const ids: string[] = [];
  for (let i = 0; i < WORKSPACES; i += 1) ids.push(await platform.createWorkspace());
  await bed.sql`
    UPDATE workspaces w SET next_action_at = cp_now() - interval '1 hour' + o.place * interval '1 s'
    FROM unnest(${ids}::uuid[]) WITH ORDINALITY AS o (id, place) WHERE w.id = o.id`;
  const begun: string[] = [];
  const claimsOf = Array.from({ length: WORKERS }, () => 0);
  for (let i = 0; i < WORKERS; i += 1) {
    platform.startWorker(async (place) => {
      if (place === "after_claim") claimsOf[i] = (claimsOf[i] ?? 0) + 1;
    });
  }
  const noisy = ids[0] ?? "";
  await waitUntil(
    "all others are ready",
    async () => {
      // One workspace that is clicked without end takes nobody's place.
      await platform.click(noisy);
      const [row] = await bed.sql`
        SELECT count(*) AS left FROM workspaces WHERE phase <> 'READY' AND id <> ${noisy}`;
      return Number(row?.left) === 0 || null;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 100 },
  );
  const rows = await bed.sql`
    SELECT workspace_id, count(*) OVER (PARTITION BY workspace_id) AS attempts FROM attempts
    WHERE workspace_id <> ${noisy} ORDER BY created_at, workspace_id`;
  for (const row of rows) begun.push(String(row.workspace_id));
  expect(new Set(rows.map((row) => Number(row.attempts)))).toEqual(new Set([1]));
  expect(begun).toHaveLength(WORKSPACES - 1);
  // Nobody is overtaken by more than what all workers have in hand at once, twice over.
  const inHand = WORKERS * platform.settings.concurrency;
  const overtaken = begun.map((id, place) => place - (ids.indexOf(id) - 1));
  expect(Math.max(...overtaken)).toBeLessThanOrEqual(2 * inHand);
  expect(Math.min(...claimsOf)).toBeGreaterThan(0);
  await until("the noisy one rests", async () => (await platform.see(noisy)).phase === "READY");
}, 240_000);
