import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { startProduct } from "@molecule/testing/product";
import { Platform } from "../platform.ts";
import type { Row } from "../table.ts";
import { type Call, sendAtRate } from "./load.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? 20);
/** A silent agent counts as away after 90 s. */
const BEAT_EVERY_MS = 20_000;
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
  await using agent = await startEchoAgent();
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
  const proxied = () => ({
    url: `${product.url}/workspaces/${id}/a2a`,
    bearer: product.adminToken,
    body: message(),
  });
  const beats = setInterval(() => {
    void asAgent.call("POST", "/registry/heartbeat", { workspace_id: id }).catch(() => undefined);
  }, BEAT_EVERY_MS);
  try {
    for (const call of [direct, proxied]) await sendAtRate(call, { perSecond: 50, seconds: 3 });
    return rowsOf(await bothAt(CALM, direct, proxied), await bothAt(BUSY, direct, proxied));
  } finally {
    clearInterval(beats);
  }
}

type Both = Awaited<ReturnType<typeof bothAt>>;

function rowsOf({ ours, baseline }: Both, busy: Both): Row[] {
  const added = {
    row: `A2A through the proxy, ${CALM} req/s`,
    ours,
    baseline,
    baselineName: "the same agent asked directly",
    unit: "ms",
    isAdded: true,
  } as const;
  return [
    { ...added, bar: 4 },
    { ...added, bar: 15, barAt: "p99" },
    {
      row: `A2A through the proxy, ${BUSY} req/s of small bodies`,
      ours: busy.ours,
      baseline: busy.baseline,
      baselineName: "the same agent asked directly",
      unit: "ms",
      bar: 100,
      barAt: "p99",
    },
    {
      row: `answers per second at ${BUSY} req/s`,
      ours: [busy.perSecond],
      baseline: [busy.directPerSecond],
      baselineName: "the same agent asked directly",
      unit: "per s",
      bar: BUSY * 0.98,
      isFloor: true,
    },
  ];
}

async function bothAt(perSecond: number, direct: () => Call, proxied: () => Call) {
  const straight = await sendAtRate(direct, { perSecond, seconds: SECONDS });
  const through = await sendAtRate(proxied, { perSecond, seconds: SECONDS });
  const others = { ...straight.others, ...through.others };
  if (Object.keys(others).length > 0) {
    throw new Error(`at ${perSecond} req/s not every answer was 200: ${JSON.stringify(others)}`);
  }
  return {
    ours: through.times,
    baseline: straight.times,
    perSecond: through.perSecond,
    directPerSecond: straight.perSecond,
  };
}

function message() {
  const messageId = crypto.randomUUID();
  const parts = [{ kind: "text", text: "are you there?" }];
  const sent = { kind: "message", messageId, role: "user", parts };
  return { jsonrpc: "2.0", id: messageId, method: "message/send", params: { message: sent } };
}

/** An agent in a process of its own, which ends with its standard input. */
async function startEchoAgent(): Promise<AsyncDisposable & { readonly url: string }> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "../echo-agent.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return {
      url: `http://127.0.0.1:${line}/`,
      [Symbol.asyncDispose]: async () => void child.stdin.end(),
    };
  }
  throw new Error("the agent ended before it listened");
}
