import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { startProduct } from "@molecule/testing/product";
import { Platform } from "../platform.ts";
import type { Row } from "../table.ts";
import { type Call, sendAtRate } from "./load.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? 20);
/** A silent agent counts as away after 90 s. */
const BEAT_EVERY_MS = 20_000;
/** Before anything is measured, for each of the three: a program that has just begun is not what runs for a year. */
const WARM_SECONDS = 10;
const CALM = 100;
const BUSY = 500;

/**
 * A2A through the proxy, every message written down first, against the same agent asked directly: the
 * added time at 100 requests/s, and what 500 requests/s are like. Load, server, database and agent share
 * the machine.
 */
export async function proxyRows(): Promise<Row[]> {
  await using product = await startProduct({
    env: {
      MOLECULE_BACKEND: "process",
      RATE_LIMIT: "0",
      MOLECULE_ALLOW_CIDRS: "127.0.0.0/8",
    },
  });
  await using agent = await startProgram("echo-agent.mjs");
  const database = (await readFile(path.join(product.home, "run/database-url"), "utf8")).trim();
  await using least = await startProgram("least-proxy.mjs", database, agent.url);
  const platform = new Platform(product.url, product.adminToken);
  const { id, connection } = await platform.call<{
    id: string;
    connection: { auth_token: string };
  }>("POST", "/workspaces", { name: "Echo", external: true, max_concurrent_tasks: 500 });
  const asAgent = new Platform(product.url, connection.auth_token);
  await asAgent.call("POST", "/registry/register", {
    id,
    url: agent.url,
    agent_card: { name: "Echo" },
    delivery_mode: "push",
  });
  const direct = () => ({ url: agent.url, bearer: "none", body: message() });
  const throughLeast = () => ({ url: least.url, bearer: "none", body: message() });
  const proxied = () => ({
    url: `${product.url}/workspaces/${id}/a2a`,
    bearer: product.adminToken,
    body: message(),
  });
  const beats = setInterval(() => {
    void asAgent.call("POST", "/registry/heartbeat", { workspace_id: id }).catch(() => undefined);
  }, BEAT_EVERY_MS);
  try {
    const calls = { direct, throughLeast, proxied };
    for (const call of Object.values(calls)) {
      await sendAtRate(call, { perSecond: CALM, seconds: WARM_SECONDS });
    }
    return rowsOf(await allAt(CALM, calls), await allAt(BUSY, calls));
  } finally {
    clearInterval(beats);
  }
}

type All = Awaited<ReturnType<typeof allAt>>;

const DIRECTLY = "the same agent asked directly";
/** What the bar cannot be without, on this machine and beside the same load. */
const LEAST = "the least proxy: a row, the agent, the row";

function rowsOf(calm: All, busy: All): Row[] {
  const added = {
    row: `A2A through the proxy, ${CALM} req/s`,
    ours: calm.proxied.times,
    baseline: calm.direct.times,
    baselineName: DIRECTLY,
    unit: "ms",
    isAdded: true,
  } as const;
  const beside = (rate: number, { proxied, throughLeast }: All): Row => ({
    row: `A2A through the proxy, ${rate} req/s`,
    ours: proxied.times,
    baseline: throughLeast.times,
    baselineName: LEAST,
    unit: "ms",
  });
  const perSecond = { row: `answers per second at ${BUSY} req/s`, unit: "per s" } as const;
  const answers = { ...perSecond, ours: [busy.proxied.perSecond] };
  return [
    { ...added, bar: 4 },
    { ...added, bar: 15, barAt: "p99" },
    beside(CALM, calm),
    {
      row: `A2A through the proxy, ${BUSY} req/s of small bodies`,
      ours: busy.proxied.times,
      baseline: busy.direct.times,
      baselineName: DIRECTLY,
      unit: "ms",
      bar: 100,
      barAt: "p99",
    },
    beside(BUSY, busy),
    {
      ...answers,
      baseline: [busy.direct.perSecond],
      baselineName: DIRECTLY,
      bar: BUSY * 0.98,
      isFloor: true,
    },
    { ...answers, baseline: [busy.throughLeast.perSecond], baselineName: LEAST },
  ];
}

async function allAt(
  perSecond: number,
  {
    direct,
    throughLeast,
    proxied,
  }: Readonly<Record<"direct" | "throughLeast" | "proxied", () => Call>>,
) {
  const at = async (call: () => Call) => {
    const load = await sendAtRate(call, { perSecond, seconds: SECONDS });
    if (Object.keys(load.others).length === 0) return load;
    throw new Error(
      `at ${perSecond} req/s not every answer was 200: ${JSON.stringify(load.others)}`,
    );
  };
  return {
    direct: await at(direct),
    throughLeast: await at(throughLeast),
    proxied: await at(proxied),
  };
}

function message() {
  const messageId = crypto.randomUUID();
  const parts = [{ kind: "text", text: "are you there?" }];
  const sent = { kind: "message", messageId, role: "user", parts };
  return { jsonrpc: "2.0", id: messageId, method: "message/send", params: { message: sent } };
}

/** A program of this folder that listens and ends with its standard input. */
async function startProgram(
  file: string,
  ...args: readonly string[]
): Promise<AsyncDisposable & { readonly url: string }> {
  const program = path.join(import.meta.dirname, "..", file);
  const child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    return {
      url: `http://127.0.0.1:${line}/`,
      [Symbol.asyncDispose]: async () => void child.stdin.end(),
    };
  }
  throw new Error(`${file} ended before it listened`);
}
