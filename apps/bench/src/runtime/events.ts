import { get, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { startProduct } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import { Platform } from "../platform.ts";
import type { Row } from "../table.ts";

const SUBSCRIBERS = Number(process.env.BENCH_SUBSCRIBERS ?? 1_000);
const EVENTS = 200;
const APART_MS = 100;

/**
 * From the commit of an event, as the database's clock tells it, until the last of a thousand streams
 * has it, against one stream alone. Readers and server share the machine.
 */
export async function eventRows(): Promise<Row[]> {
  await using product = await startProduct({ env: { RATE_LIMIT: "0" } });
  const platform = new Platform(product.url, product.adminToken);
  const { id } = await platform.call<{ id: string }>("POST", "/workspaces", {
    name: "Told",
    external: true,
  });
  const alone = await delivered(product.url, product.adminToken, { platform, id, streams: 1 });
  const all = await delivered(product.url, product.adminToken, {
    platform,
    id,
    streams: SUBSCRIBERS,
  });
  return [
    {
      row: `event committed → delivered, ${SUBSCRIBERS} streams, ${1000 / APART_MS} events/s`,
      ours: all,
      baseline: alone,
      baselineName: "one stream",
      unit: "ms",
      bar: 250,
      barAt: "p99",
    },
  ];
}

/** Milliseconds of every delivery of every event; throws when one is missing or comes twice. */
async function delivered(
  url: string,
  token: string,
  { platform, id, streams }: { platform: Platform; id: string; streams: number },
): Promise<number[]> {
  const times: number[] = [];
  const counts = new Map<number, number>();
  const open: IncomingMessage[] = [];
  const onEvent = (stream: number, at: string) => {
    times.push(Date.now() - Date.parse(at));
    counts.set(stream, (counts.get(stream) ?? 0) + 1);
  };
  try {
    for (let stream = 0; stream < streams; stream += 1) {
      open.push(await subscribe(url, token, (at) => onEvent(stream, at)));
    }
    await delay(2_000);
    for (let event = 0; event < EVENTS; event += 1) {
      const next = delay(APART_MS);
      await platform.call("PATCH", `/workspaces/${id}`, { role: `Round ${event}` });
      await next;
    }
    await waitUntil("every stream has every event", () => times.length >= EVENTS * streams, {
      timeoutMs: 30_000,
    });
    const wrong = [...counts.values()].filter((count) => count !== EVENTS).length;
    if (wrong > 0) throw new Error(`${wrong} streams got more or fewer than ${EVENTS} events`);
    return times;
  } finally {
    for (const one of open) one.destroy();
  }
}

/** Opens a stream and calls `onEvent` with the time of each change of a workspace. */
async function subscribe(
  url: string,
  token: string,
  onEvent: (at: string) => void,
): Promise<IncomingMessage> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
    get(`${url}/events/stream`, { headers, agent: false }, resolve).once("error", reject);
  });
  if (answer.statusCode !== 200) throw new Error(`the stream answered ${answer.statusCode}`);
  let rest = "";
  answer.setEncoding("utf8");
  answer.on("data", (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n")) {
      const text = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const data = /^data: ?(.*)$/m.exec(text)?.[1];
      if (data === undefined) continue;
      const told = JSON.parse(data) as { event: string; timestamp: string };
      if (told.event === "WORKSPACE_UPDATED") onEvent(told.timestamp);
    }
  });
  return answer;
}
