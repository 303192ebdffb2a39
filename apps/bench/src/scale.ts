import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startProduct } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import postgres from "postgres";
import { readDurations, startRecording } from "./chaos/recorder.ts";
import { listAgents } from "./instances.ts";
import { Platform } from "./platform.ts";
import type { Row } from "./table.ts";

const WORKSPACES = Number(process.env.BENCH_WORKSPACES ?? 250);
const ROUNDS = 100;
/** Between two clicks or saves: what a restart costs two cores, so that none waits for another's boot. */
const APART_MS = 1_500;
/** Agents that boot at the same time while the organisation is made. */
const ABREAST = 6;

/**
 * Scoreboard R8 and R9 without faults: clicks and saves in an organisation of 250 running agents,
 * against a request that only reads. Source: lifecycle D.
 */
export async function scaleRows(): Promise<Row[]> {
  await using product = await startProduct({
    env: {
      MOLECULE_BACKEND: "process",
      RATE_LIMIT: "0",
      // Quiet is waited for, not measured.
      MOLECULE_SETTLE_SCALE: "0.02",
    },
  });
  const platform = new Platform(product.url, product.adminToken);
  const url = (await readFile(path.join(product.home, "run/database-url"), "utf8")).trim();
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await startRecording(sql);
    const ids = await organisation(platform, WORKSPACES);
    console.log(`${ids.length} agents are online`);
    await sql`TRUNCATE chaos.clicks, chaos.begun, chaos.changes`;
    const reads = await readTimes(platform, ids);
    const acknowledged = await eachInTurn(ids, (id) =>
      platform.call("POST", `/workspaces/${id}/restart`),
    );
    await untilAtRest(sql);
    const { clicks } = await readDurations(sql, 0);
    await sql`TRUNCATE chaos.clicks, chaos.begun, chaos.changes`;
    await eachInTurn(ids, (id, round) =>
      platform.call("PUT", `/workspaces/${id}/files/notes.md`, { content: `round ${round}` }),
    );
    await untilAtRest(sql);
    const { saves } = await readDurations(sql, 0);
    const baseline = { baseline: reads, baselineName: "reading a workspace over HTTP" };
    return [
      {
        row: `R8 click → answer, ${ids.length} agents online`,
        ours: acknowledged,
        ...baseline,
        unit: "ms",
        bar: 500,
        barAt: "p99",
      },
      {
        row: `R8 click → attempt begun, ${ids.length} agents online`,
        ours: clicks,
        ...baseline,
        unit: "ms",
        bar: 1_000,
        barAt: "p99",
      },
      {
        row: `R9 save due → agent started (claim, stop, snapshot, creation), ${ids.length} agents online`,
        ours: saves,
        ...baseline,
        unit: "ms",
        bar: 2_000,
        barAt: "p99",
      },
    ];
  } finally {
    await sql.end({ timeout: 2 });
    await endAgents(product.home);
  }
}

/** Agents outlive the platform that started them, and the next row would be measured beside them. */
async function endAgents(home: string): Promise<void> {
  const platformId = (await readFile(path.join(home, "platform-id"), "utf8")).trim();
  for (const { pid } of await listAgents("process", platformId, home)) {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }
}

/** Ids of that many agents, online; a few boot at a time. */
async function organisation(platform: Platform, count: number): Promise<string[]> {
  const ids: string[] = [];
  const make = async () => {
    while (ids.length < count) {
      const at = ids.length;
      ids.push("");
      const id = await platform.create(`Agent ${at + 1}`);
      ids[at] = id;
      await platform.untilOnline(id, 120_000);
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, make));
  return ids;
}

async function readTimes(platform: Platform, ids: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    await platform.call("GET", `/workspaces/${ids[round % ids.length]}`);
    times.push(performance.now() - started);
    await delay(10);
  }
  return times;
}

/** Milliseconds of each call, one at a time and at even distances, each to another agent. */
async function eachInTurn(
  ids: readonly string[],
  call: (id: string, round: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = delay(APART_MS);
    const started = performance.now();
    await call(ids[(round * 7) % ids.length] ?? "", round);
    times.push(performance.now() - started);
    await next;
  }
  return times;
}

async function untilAtRest(sql: postgres.Sql): Promise<void> {
  await waitUntil(
    "all rest",
    async () => {
      const [row] = await sql`SELECT count(*)::int AS busy FROM workspaces
        WHERE phase <> 'READY' OR desired_gen <> applied_gen OR force_seq <> applied_force`;
      return row?.busy === 0;
    },
    { timeoutMs: 120_000, everyMs: 200 },
  );
}
