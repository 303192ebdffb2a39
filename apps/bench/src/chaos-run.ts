import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Product, startProduct } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import postgres from "postgres";
import { type Acknowledged, createDice, nothingWritten, writeOnce } from "./chaos-writes.ts";
import { listAgents, type RunningAgent } from "./instances.ts";
import { Platform } from "./platform.ts";

/** What a chaos run does to the built product. */
export interface ChaosOptions {
  readonly writes: number;
  /** How often the worker is killed with -9 meanwhile; the launcher starts it again. */
  readonly kills: number;
  readonly backend: "process" | "docker";
  readonly workspaces: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** What was found at rest. Every list is empty when the promises were kept. */
export interface ChaosResult {
  readonly acknowledged: number;
  readonly kills: number;
  /** Kills that came while an attempt was open. */
  readonly killsInRestart: number;
  readonly attempts: Readonly<Record<string, number>>;
  /** From the last write or kill until every workspace rested, in ms. */
  readonly restAfterMs: number;
  /** Writes that were refused; a dead worker must not fail any. */
  readonly failedWrites: readonly string[];
  /** Values that were acknowledged and are not what the agent was started with. */
  readonly lost: readonly string[];
  /** Workspaces whose applied generation is not the desired one. */
  readonly notApplied: readonly string[];
  /** Agents that run beside the one that should, and workspaces without one. */
  readonly strays: readonly string[];
  /** Attempts without a reason, a sentence or an end. */
  readonly unexplained: readonly string[];
  /** Agents that were still there after every workspace had been deleted. */
  readonly leftAfterDelete: readonly string[];
}

const REST_WITHIN_MS = 180_000;
/** A hundredth to a twentieth of production: nothing waits for a real lease or a real quiet. */
const SCALED = {
  MOLECULE_SETTLE_SCALE: "0.02",
  MOLECULE_LEASE_MS: "500",
  MOLECULE_POLL_MS: "100",
  MOLECULE_STOP_GRACE_MS: "2000",
  RATE_LIMIT: "0",
};

interface Bed {
  readonly product: Product;
  readonly platform: Platform;
  readonly sql: postgres.Sql;
  readonly backend: ChaosOptions["backend"];
  readonly platformId: string;
  readonly known: ReadonlyMap<string, Acknowledged>;
}

/** Writes at random while the worker dies again and again, and reads off what came of it. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  await using product = await startProduct({
    env: { ...SCALED, MOLECULE_BACKEND: options.backend },
    timeoutMs: 300_000,
  });
  const url = (await readFile(path.join(product.home, "run/database-url"), "utf8")).trim();
  const sql = postgres(url, { max: 2, onnotice: () => undefined });
  try {
    const platform = new Platform(product.url, product.adminToken);
    const known = new Map<string, Acknowledged>();
    for (let count = 0; count < options.workspaces; count += 1) {
      known.set(await platform.create(`Chaos ${count + 1}`), nothingWritten());
    }
    for (const id of known.keys()) await platform.untilOnline(id, 300_000);
    const platformId = (await readFile(path.join(product.home, "platform-id"), "utf8")).trim();
    const { backend } = options;
    const bed = { product, platform, sql, backend, platformId, known };
    options.say(`${known.size} agents are online`);
    const isOver = new AbortController();
    const [written, killed] = await Promise.all([
      writeAll(bed, options, isOver.signal),
      killAll(bed, options).finally(() => isOver.abort()),
    ]);
    options.say(`${written.acknowledged} writes acknowledged, ${killed.kills} kills`);
    const restAfterMs = await untilRest(bed);
    const found = await inspect(bed);
    return { ...written, ...killed, restAfterMs, ...found };
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function writeAll(bed: Bed, options: ChaosOptions, isOver: AbortSignal) {
  const dice = createDice(options.seed);
  const targets = [...bed.known].map(([id, known]) => ({ id, known }));
  const failedWrites: string[] = [];
  let acknowledged = 0;
  // About as long as the kills take, so that writes fall into every moment between two of them.
  const meanPauseMs = (options.kills * MEAN_KILL_MS) / options.writes;
  for (let count = 0; count < options.writes; count += 1) {
    const target = targets[dice(targets.length)];
    if (target === undefined) break;
    await writeOnce(bed.platform, target, dice).then(
      () => {
        acknowledged += 1;
      },
      (error: unknown) => failedWrites.push(String(error)),
    );
    // Bursts and lulls: every fourth write waits for four.
    if (dice(4) === 0 && !isOver.aborted) {
      await delay(dice(8 * meanPauseMs), undefined, { signal: isOver }).catch(() => undefined);
    }
  }
  return { acknowledged, failedWrites };
}

const MEAN_KILL_MS = 1_500;

async function killAll(bed: Bed, options: ChaosOptions) {
  const dice = createDice(options.seed + 1);
  let killsInRestart = 0;
  for (let kills = 0; kills < options.kills; kills += 1) {
    const victim = await waitUntil("the launcher started a worker", () => workerPid(bed.product), {
      timeoutMs: 60_000,
    });
    await delay(dice(MEAN_KILL_MS));
    // Every other kill waits for a restart to fall into; the rest come whenever they come.
    const isAimed = kills % 2 === 0;
    const isOpen = isAimed ? await anyOpen(bed) : await hasOpen(bed);
    if (isOpen) killsInRestart += 1;
    process.kill(victim, "SIGKILL");
    await waitUntil("the killed worker is gone", async () => {
      return (await workerPid(bed.product)) !== victim;
    });
  }
  return { kills: options.kills, killsInRestart };
}

async function hasOpen({ sql }: Bed): Promise<boolean> {
  const [open] = await sql`SELECT count(*)::int AS count FROM attempts WHERE outcome IS NULL`;
  return Number(open?.count) > 0;
}

/** Whether an attempt was open within a while; there is none any more once the writes are over. */
async function anyOpen(bed: Bed): Promise<boolean> {
  return await waitUntil("an attempt is open", () => hasOpen(bed), {
    timeoutMs: 10_000,
    everyMs: 5,
  }).then(
    () => true,
    () => false,
  );
}

/** The worker that runs now; null between two. */
export async function workerPid({ home }: Pick<Product, "home">): Promise<number | null> {
  const mark = await readFile(path.join(home, "run/worker.json"), "utf8").catch(() => "");
  return mark === "" ? null : (JSON.parse(mark) as { pid: number }).pid;
}

async function untilRest({ sql }: Bed): Promise<number> {
  const began = performance.now();
  let busy: unknown = [];
  await waitUntil(
    "every workspace rests",
    async () => {
      busy = await sql`
        SELECT id, phase, desired_gen, applied_gen, failure, next_action_at FROM workspaces
        WHERE phase <> 'READY' OR desired_gen <> applied_gen OR lease_until > now()`;
      return Array.isArray(busy) && busy.length === 0;
    },
    { timeoutMs: REST_WITHIN_MS, everyMs: 100 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(busy)}`);
  });
  return Math.round(performance.now() - began);
}

async function inspect(bed: Bed) {
  const { sql, platform, known, backend, platformId, product } = bed;
  const rows = await sql`SELECT id, desired_gen, applied_gen, current_attempt FROM workspaces`;
  const notApplied = rows
    .filter((row) => row.desired_gen !== row.applied_gen)
    .map((row) => `${row.id}: ${row.applied_gen} of ${row.desired_gen}`);
  const agents = await listAgents(backend, platformId, product.home);
  const strays = rows.flatMap((row) => {
    const own = agents.filter((agent) => agent.workspaceId === row.id).map((one) => one.attemptNo);
    const isRight = own.length === 1 && own[0] === Number(row.current_attempt);
    return isRight ? [] : [`${row.id}: attempts ${own} run, ${row.current_attempt} should`];
  });
  const lost: string[] = [];
  for (const agent of agents) {
    const wanted = known.get(agent.workspaceId);
    if (wanted === undefined) strays.push(`${agent.workspaceId}: of no workspace`);
    else lost.push(...(await lostOf(platform, agent, wanted)));
  }
  const ledger = await sql`
    SELECT workspace_id, no, reason, outcome, detail->>'sentence' AS sentence FROM attempts`;
  const unexplained = ledger
    .filter((row) => !row.reason || !row.sentence || row.outcome === null)
    .map((row) => `${row.workspace_id} attempt ${row.no}: ${row.reason}, ${row.outcome}`);
  const attempts: Record<string, number> = {};
  for (const { reason, outcome } of ledger) {
    const name = outcome === "ready" || outcome === "superseded" ? reason : `${reason}/${outcome}`;
    attempts[name] = (attempts[name] ?? 0) + 1;
  }
  const leftAfterDelete = await deleteAll(bed);
  return { notApplied, strays, lost, unexplained, attempts, leftAfterDelete };
}

/** What the agent itself, its environment and its folder say, against what was acknowledged. */
async function lostOf(
  platform: Platform,
  agent: RunningAgent,
  wanted: Acknowledged,
): Promise<string[]> {
  const lost: string[] = [];
  const compare = (what: string, is: string | null | undefined, should: string | null) => {
    if ((is ?? null) !== should) {
      lost.push(`${agent.workspaceId} ${what}: ${is ?? "absent"} instead of ${should ?? "absent"}`);
    }
  };
  const said = await platform.ask(agent.workspaceId, "which model are you running with");
  if (wanted.model !== null) compare("model", /Model: (value \d+)/.exec(said)?.[1], wanted.model);
  if (wanted.instructions !== null) {
    compare("instructions", /Instructions: (.*)/.exec(said)?.[1], wanted.instructions);
  }
  for (const [key, value] of wanted.secrets) compare(key, agent.env[key], value);
  for (const [file, content] of wanted.files) {
    compare(file, await agent.readConfig(file), content);
  }
  return lost;
}

async function deleteAll({ platform, known, backend, platformId, product }: Bed) {
  for (const id of known.keys()) {
    await platform.call("DELETE", `/workspaces/${id}?confirm=true&purge=true`);
  }
  let left: RunningAgent[] = [];
  await waitUntil(
    "no agent is left",
    async () => {
      left = await listAgents(backend, platformId, product.home);
      return left.length === 0;
    },
    { timeoutMs: 60_000, everyMs: 200 },
  ).catch(() => undefined);
  return left.map((agent) => `${agent.workspaceId} attempt ${agent.attemptNo}`);
}
