import { readFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Product, startProduct } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import postgres from "postgres";

/** How much happens to a reader of the event stream. */
export interface DeliveryOptions {
  /** Events that are written while it reads. */
  readonly events: number;
  /** Times its connection is cut, at random distances. */
  readonly disconnects: number;
  /** Times the server is killed with -9 under it. */
  readonly serverKills: number;
}

/** What the reader got, beside the log of the database. */
export interface DeliveryResult {
  /** Cursors of the log, in order, from the first written event on. */
  readonly logged: readonly string[];
  /** Cursors that the reader got, in the order it got them. */
  readonly received: readonly string[];
  readonly connections: number;
}

const WRITERS = 8;

/**
 * One reader of `GET /events/stream` that comes back with `Last-Event-ID` after every cut, as a browser's
 * EventSource does, on the built product.
 */
export async function runDelivery(options: DeliveryOptions): Promise<DeliveryResult> {
  await using product = await startProduct({ env: { RATE_LIMIT: "0" } });
  const url = (await readFile(path.join(product.home, "run/database-url"), "utf8")).trim();
  const sql = postgres(url, { max: 1 });
  const isOver = new AbortController();
  try {
    const { id } = (await call(product, "POST", "/workspaces", {
      name: "Told",
      external: true,
    })) as { id: string };
    const reader = new Reader(product);
    const reading = reader.run(isOver.signal);
    await waitUntil("the stream is live", () => reader.isLive);
    const from = await newestCursor(sql);
    let written = 0;
    const write = async () => {
      while (written < options.events) {
        written += 1;
        const role = `Round ${written}`;
        await patiently(() => call(product, "PATCH", `/workspaces/${id}`, { role }));
      }
    };
    const cuts = spread(options.disconnects, options.events, () => reader.cut());
    const kills = spread(options.serverKills, options.events, () => killServer(product));
    const disturb = async () => {
      const due = [...cuts, ...kills].sort((a, b) => a.at - b.at);
      for (const { at, act } of due) {
        while (written < at) await delay(5);
        await act();
      }
    };
    await Promise.all([disturb(), ...Array.from({ length: WRITERS }, write)]);
    const logged = await cursorsAfter(sql, from);
    const isIn = (cursor: string | undefined) =>
      cursor !== undefined && reader.received.includes(cursor);
    await waitUntil("the reader has the last event", () => isIn(logged.at(-1)), {
      timeoutMs: 60_000,
    });
    isOver.abort();
    await reading;
    const wanted = new Set(logged);
    return {
      logged,
      received: reader.received.filter((cursor) => wanted.has(cursor)),
      connections: reader.connections,
    };
  } finally {
    isOver.abort();
    await sql.end({ timeout: 2 });
  }
}

/** `count` acts at even distances over `total` writes, none at the ends. */
function spread(count: number, total: number, act: () => unknown) {
  return Array.from({ length: count }, (_, index) => ({
    at: Math.round(((index + 1) * total) / (count + 1)),
    act,
  }));
}

class Reader {
  readonly received: string[] = [];
  connections = 0;
  isLive = false;
  readonly #product: Product;
  #last: string | null = null;
  #stream: IncomingMessage | null = null;

  constructor(product: Product) {
    this.#product = product;
  }

  /** Breaks the connection, as a network does. */
  cut(): void {
    this.#stream?.destroy();
  }

  async run(isOver: AbortSignal): Promise<void> {
    isOver.addEventListener("abort", () => this.cut());
    while (!isOver.aborted) {
      await this.#readOnce().catch(() => undefined);
      if (!isOver.aborted) await delay(20);
    }
  }

  async #readOnce(): Promise<void> {
    const { url, adminToken } = this.#product;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${adminToken}`,
        ...(this.#last === null ? {} : { "last-event-id": this.#last }),
      };
      get(`${url}/events/stream`, { headers, agent: false }, resolve).once("error", reject);
    });
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new Error(`the stream answered ${answer.statusCode}`);
    }
    this.connections += 1;
    this.#stream = answer;
    answer.setEncoding("utf8");
    let rest = "";
    for await (const chunk of answer) {
      rest += chunk as string;
      for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n")) {
        this.#take(rest.slice(0, end));
        rest = rest.slice(end + 2);
      }
    }
  }

  #take(text: string): void {
    const id = /^id: ?(.+)$/m.exec(text)?.[1];
    if (id !== undefined) this.#last = id;
    if (/^event: ?control$/m.test(text)) this.isLive = true;
    else if (id !== undefined) this.received.push(id);
  }
}

async function killServer(product: Product): Promise<void> {
  const file = path.join(product.home, "run/server.json");
  const { pid } = JSON.parse(await readFile(file, "utf8")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await waitUntil("another server answers", async () => {
    const answer = await fetch(`${product.url}/health`).catch(() => null);
    return answer?.ok;
  });
}

async function call(product: Product, method: string, target: string, body: unknown) {
  const answer = await fetch(`${product.url}${target}`, {
    method,
    headers: {
      authorization: `Bearer ${product.adminToken}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok) throw new Error(`${method} ${target}: ${answer.status} ${await answer.text()}`);
  return await answer.json();
}

/** Repeats while the server is away. @throws the last error after a minute. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(100);
    }
  }
}

async function newestCursor(sql: postgres.Sql): Promise<{ txid: string; id: string }> {
  const [row] = await sql`SELECT txid, id FROM events ORDER BY txid DESC, id DESC LIMIT 1`;
  return { txid: String(row?.txid ?? 0), id: String(row?.id ?? 0) };
}

async function cursorsAfter(
  sql: postgres.Sql,
  from: { readonly txid: string; readonly id: string },
): Promise<string[]> {
  const rows = await sql`
    SELECT txid, id FROM events WHERE (txid, id) > (${from.txid}::bigint, ${from.id}::bigint)
      AND event = 'WORKSPACE_UPDATED' ORDER BY txid, id`;
  return rows.map((row) => `${row.txid}.${row.id}`);
}
