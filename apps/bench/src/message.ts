import { readFile } from "node:fs/promises";
import path from "node:path";
import { startProduct } from "@molecule/testing/product";
import postgres from "postgres";
import { Platform, streamMessage } from "./platform.ts";
import type { Row } from "./table.ts";

const ROUNDS = 20;

/** Message → first token through the platform, against the same message sent to the runtime. */
export async function messageRows(): Promise<Row[]> {
  await using product = await startProduct({
    env: { MOLECULE_BACKEND: "process", RATE_LIMIT: "0" },
  });
  const platform = new Platform(product.url, product.adminToken);
  const started = performance.now();
  const id = await platform.create("Bench");
  await platform.untilOnline(id);
  await platform.firstTokenMs(id, "help");
  const firstReply = performance.now() - started;
  const direct = await addressOf(product.home, id);
  const ours: number[] = [];
  const baseline: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push((await platform.firstTokenMs(id, "who are you")).first);
    baseline.push((await streamMessage(direct.url, direct.secret, "who are you")).first);
  }
  await platform.call("DELETE", `/workspaces/${id}?confirm=true`);
  return [
    {
      row: "ready → first reply of an agent created then",
      ours: [firstReply],
      baseline: [Math.max(...baseline)],
      baselineName: "the reply alone",
      unit: "ms",
      bar: 5_000,
    },
    {
      row: "message → first token",
      ours,
      baseline,
      baselineName: "straight to the runtime",
      unit: "ms",
    },
  ];
}

/** Where the runtime itself listens and what it accepts, read as the platform knows it. */
async function addressOf(home: string, id: string): Promise<{ url: string; secret: string }> {
  const database = (await readFile(path.join(home, "run", "database-url"), "utf8")).trim();
  const sql = postgres(database, { max: 1 });
  const [attempt] = await sql<{ provider_addr: string }[]>`
    SELECT provider_addr FROM attempts WHERE workspace_id = ${id} ORDER BY no DESC LIMIT 1`;
  await sql.end();
  const secretFile = path.join(home, "workspaces", id, "configs", ".platform_inbound_secret");
  const secret = (await readFile(secretFile, "utf8")).trim();
  return { url: `http://${attempt?.provider_addr}/`, secret };
}
