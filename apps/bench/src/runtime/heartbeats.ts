import { readFile } from "node:fs/promises";
import path from "node:path";
import { startProduct } from "@molecule/testing/product";
import postgres from "postgres";
import { residentMb } from "../baselines.ts";
import { Platform } from "../platform.ts";
import type { Row } from "../table.ts";
import { sendAtRate } from "./load.ts";
import { cpuSeconds, serverPid } from "./server-process.ts";

const WORKSPACES = Number(process.env.BENCH_WORKSPACES ?? 10_000);
const MINUTES = Number(process.env.BENCH_MINUTES ?? 2);
const EVERY_SECONDS = 60;

/**
 * Ten thousand off-host agents that beat once a minute, on one server process: what of one core it
 * needs, what the database is asked, and whether memory grows. Against the same number of requests that
 * answer without the database.
 */
export async function heartbeatRows(): Promise<Row[]> {
  await using product = await startProduct({ env: { RATE_LIMIT: "0" } });
  const platform = new Platform(product.url, product.adminToken);
  const agents = await makeAgents(platform, product.url);
  const pid = await serverPid(product.process.pid ?? 0);
  const url = (await readFile(path.join(product.home, "run/database-url"), "utf8")).trim();
  const sql = postgres(url, { max: 1 });
  try {
    const perSecond = WORKSPACES / EVERY_SECONDS;
    let next = 0;
    const beat = () => {
      const agent = agents[next % agents.length];
      next += 1;
      return {
        url: `${product.url}/registry/heartbeat`,
        bearer: agent?.token ?? "",
        body: { workspace_id: agent?.id, active_tasks: 0, uptime_seconds: next, current_task: "" },
      };
    };
    const health = () => ({ url: `${product.url}/health`, bearer: product.adminToken });
    const idle = await measured(pid, () => sendAtRate(health, { perSecond, seconds: 30 }));
    // The first round teaches the process its callers.
    await sendAtRate(beat, { perSecond, seconds: EVERY_SECONDS });
    const memoryBefore = await residentMb(pid);
    const before = await statements(sql);
    const beats = await measured(pid, () => sendAtRate(beat, { perSecond, seconds: MINUTES * 60 }));
    const asked = (await statements(sql)) - before;
    const memoryAfter = await residentMb(pid);
    if (Object.keys(beats.result.others).length > 0) {
      throw new Error(`not every beat was taken: ${JSON.stringify(beats.result.others)}`);
    }
    const name = `${agents.length} agents, a beat a minute each, ${MINUTES} min`;
    return [
      {
        row: `${name}: share of one core`,
        ours: [beats.share],
        baseline: [idle.share],
        baselineName: "as many requests that need no database",
        unit: "%",
        bar: 20,
      },
      {
        row: `${name}: transactions per beat, all of the platform's`,
        ours: [asked / beats.result.times.length],
        baseline: [1],
        baselineName: "one",
        unit: "count",
        bar: 1.1,
      },
      {
        row: `${name}: growth of the server's memory`,
        ours: [memoryAfter - memoryBefore],
        baseline: [memoryBefore],
        baselineName: "the server before",
        unit: "MB",
        bar: 20,
      },
      {
        row: `${name}: beat → answer`,
        ours: beats.result.times,
        baseline: idle.result.times,
        baselineName: "a request that needs no database",
        unit: "ms",
      },
    ];
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function makeAgents(platform: Platform, url: string) {
  const agents: { readonly id: string; readonly token: string }[] = [];
  let left = WORKSPACES;
  const make = async () => {
    while (left > 0) {
      left -= 1;
      const { id, connection } = await platform.call<{
        id: string;
        connection: { auth_token: string };
      }>("POST", "/workspaces", { name: `Far ${left}`, external: true });
      const token = connection.auth_token;
      await new Platform(url, token).call("POST", "/registry/register", {
        id,
        url: "",
        agent_card: { name: "Far" },
        delivery_mode: "poll",
      });
      agents.push({ id, token });
    }
  };
  await Promise.all(Array.from({ length: 8 }, make));
  return agents;
}

/** The result and what of one core the process needed meanwhile, in percent. */
async function measured<T>(pid: number, work: () => Promise<T>) {
  const cpu = await cpuSeconds(pid);
  const began = performance.now();
  const result = await work();
  const seconds = (performance.now() - began) / 1000;
  return { result, share: (100 * ((await cpuSeconds(pid)) - cpu)) / seconds };
}

/** Transactions of the database so far; an ordinary statement is one. */
async function statements(sql: postgres.Sql): Promise<number> {
  // Sessions report what they did about once a second.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await sql`SELECT pg_stat_clear_snapshot()`;
  const [row] = await sql`
    SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = current_database()`;
  return Number(row?.count);
}
