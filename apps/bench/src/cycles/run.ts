import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { type Product, startProduct } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import postgres from "postgres";
import { leftBehind } from "../chaos/left-behind.ts";
import { Platform } from "../platform.ts";

/** Creating, restarting and deleting over and over. */
export interface CyclesOptions {
  readonly cycles: number;
  readonly backend: "process" | "docker";
  /** Cycles at the same time. */
  readonly abreast: number;
  readonly say: (line: string) => void;
}

/** What one of the platform's own processes holds. */
export interface Holdings {
  readonly process: string;
  readonly files: number;
  readonly sockets: number;
  /** Resident, in MB. */
  readonly residentMb: number;
}

/** What the cycles were and what they left. */
export interface CyclesResult {
  readonly cycles: number;
  readonly attempts: number;
  readonly tookMs: number;
  /** Cycles that did not get through. */
  readonly failed: readonly string[];
  /** At rest after the cycles that warm everything up, and at rest after all. */
  readonly before: readonly Holdings[];
  readonly after: readonly Holdings[];
  /** Instances, folders, volumes, rows, tokens of deleted workspaces. */
  readonly left: readonly string[];
  /** Entries of the platform's folder that were not there after the warming up. */
  readonly newEntries: readonly string[];
}

const SCALED = { MOLECULE_SETTLE_SCALE: "0.02", MOLECULE_STOP_GRACE_MS: "2000", RATE_LIMIT: "0" };
const WARM_UP = 0.1;
/** Connections that timers open and close by themselves. */
const TIMERS = 4;
const DONE_WITHIN_MS = 120_000;

/** Runs all cycles on the built product and reads off what they left. */
export async function runCycles(options: CyclesOptions): Promise<CyclesResult> {
  await using product = await startProduct({
    env: { ...SCALED, MOLECULE_BACKEND: options.backend },
    timeoutMs: 300_000,
  });
  const url = (await readFile(path.join(product.home, "run/database-url"), "utf8")).trim();
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const platformId = (await readFile(path.join(product.home, "platform-id"), "utf8")).trim();
    const emptied = { sql, backend: options.backend, platformId, home: product.home };
    const platform = new Platform(product.url, product.adminToken);
    const failed: string[] = [];
    const began = performance.now();
    const warmUp = Math.max(options.abreast, Math.round(options.cycles * WARM_UP));
    await cycleAll(platform, { ...options, from: 0, to: warmUp }, failed);
    await leftBehind(emptied);
    const before = await holdingsOf(product);
    const entries = new Set(await entriesOf(product.home));
    options.say(`warm after ${warmUp} cycles: ${JSON.stringify(before)}`);
    await cycleAll(platform, { ...options, from: warmUp, to: options.cycles }, failed);
    const tookMs = performance.now() - began;
    const left = await leftBehind(emptied);
    const after = await restingHoldings(product, before);
    const newEntries = (await entriesOf(product.home)).filter((name) => !entries.has(name));
    const [row] = await sql`SELECT count(*)::int AS n FROM attempts`;
    const attempts = Number(row?.n);
    return { cycles: options.cycles, attempts, tookMs, failed, before, after, left, newEntries };
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function cycleAll(
  platform: Platform,
  span: CyclesOptions & { readonly from: number; readonly to: number },
  failed: string[],
): Promise<void> {
  let next = span.from;
  const lane = async () => {
    for (let no = next++; no < span.to; no = next++) {
      await cycle(platform, no).catch((error: unknown) => failed.push(`cycle ${no}: ${error}`));
      if (no % 50 === 49) span.say(`${no + 1} cycles`);
    }
  };
  await Promise.all(Array.from({ length: span.abreast }, lane));
}

/** One life: created, spoken to, changed and restarted by it, deleted. */
async function cycle(platform: Platform, no: number): Promise<void> {
  const id = await platform.create(`Cycle ${no}`);
  await platform.untilOnline(id, DONE_WITHIN_MS);
  await platform.ask(id, "who are you");
  await platform.call("PUT", `/workspaces/${id}/files/cycle.md`, { content: `cycle ${no}` });
  await platform.call("POST", `/workspaces/${id}/restart`);
  await waitUntil(
    `the restart of cycle ${no}`,
    async () => {
      const input = encodeURIComponent(JSON.stringify({ id }));
      const { result } = await platform.call<{
        result: { data: { status: string; appliedGen: number; desiredGen: number } };
      }>("GET", `/trpc/workspaces.get?input=${input}`);
      const { status, appliedGen, desiredGen } = result.data;
      return status === "online" && appliedGen === desiredGen ? true : null;
    },
    { timeoutMs: DONE_WITHIN_MS, everyMs: 50 },
  );
  await platform.call("DELETE", `/workspaces/${id}?confirm=true`);
}

/** Connections that idle are closed by their own timers: the lowest of some readings counts. */
async function restingHoldings(
  product: Product,
  before: readonly Holdings[],
): Promise<readonly Holdings[]> {
  let after = await holdingsOf(product);
  const isBack = () => after.every((now, i) => now.files <= (before[i]?.files ?? 0) + TIMERS);
  await waitUntil(
    "idle connections are closed",
    async () => {
      after = await holdingsOf(product);
      return isBack() || null;
    },
    { timeoutMs: 30_000, everyMs: 1_000 },
  ).catch(() => undefined);
  return after;
}

async function holdingsOf(product: Product): Promise<readonly Holdings[]> {
  const parent = product.process.pid;
  const task = `/proc/${parent}/task/${parent}/children`;
  const children = (await readFile(task, "utf8")).trim().split(" ");
  const all: Holdings[] = [];
  for (const pid of children) {
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
    const name = command.map((part) => /apps\/(server|worker)\//.exec(part)?.[1]).find(Boolean);
    if (name === undefined) continue;
    const fds = await readdir(`/proc/${pid}/fd`);
    const links = await Promise.all(
      fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
    );
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const kb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    all.push({
      process: name,
      // What it reads of other processes' names comes and goes with every look at them.
      files: links.filter((link) => link !== "" && !link.startsWith("/proc/")).length,
      sockets: links.filter((link) => link.startsWith("socket:")).length,
      residentMb: Math.round(kb / 1024),
    });
  }
  return all.sort((a, b) => a.process.localeCompare(b.process));
}

/** Everything below the platform's folder except the database's own files. */
async function entriesOf(home: string): Promise<string[]> {
  const all = await readdir(home, { recursive: true });
  return all.filter((name) => !name.startsWith("pg/"));
}
