import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { openDatabase } from "@molecule/db/database";
import { migrate } from "@molecule/db/migrate";
import postgres from "postgres";
import { randomFrom } from "../../../worker/src/restart/agenda.fixture.ts";
import { ROOT } from "../baselines.ts";
import { type BenchDatabase, runOurs } from "./ours.ts";
import { runStrategy, STRATEGIES } from "./predecessor.ts";
import { type RunResult, SCENARIOS } from "./scenarios.ts";

const SEED = 20_261_121;
const THEIR_RUNS = 2_000;
/** Each is a workspace on the real reconciler and a real Postgres. */
const OUR_RUNS = 60;

/** All runs of one scenario with one algorithm. */
export interface Column {
  readonly name: string;
  readonly results: readonly RunResult[];
}

/** Our promises that a table would break; empty when it keeps all. */
export function brokenPromises(scenario: string, { results }: Column): readonly string[] {
  const count = (isBad: (result: RunResult) => boolean) => results.filter(isBad).length;
  return [
    [count((one) => !one.isFinalCorrect), "ended on an old generation"],
    [count((one) => one.lost > 0), "lost a write"],
    [count((one) => one.leaked > 0), "leaked an instance"],
    [count((one) => one.restartsByProbe > 0), "restarted because of a probe"],
    [count((one) => one.restarts > 2), "restarted more than twice"],
  ].flatMap(([runs, what]) => (runs === 0 ? [] : [`${scenario}: ${runs} runs ${what}`]));
}

/** What the table says of one scenario, a line for each thing that tells the columns apart. */
export function linesOf(title: string, columns: readonly Column[]): readonly string[] {
  const line = (what: string, cell: (results: readonly RunResult[]) => string) =>
    `| ${title}: ${what} | ${columns.map(({ results }) => cell(results)).join(" | ")} |`;
  const some = (figure: (one: RunResult) => number) =>
    columns.some(({ results }) => results.some((one) => figure(one) > 0));
  return [
    line("restarts, mean (max)", (results) => {
      const restarts = results.map((one) => one.restarts);
      return `${mean(restarts).toFixed(2)} (${Math.max(...restarts)})`;
    }),
    line("final generation correct", (results) =>
      percent(results.filter((one) => one.isFinalCorrect).length / results.length),
    ),
    line("writes lost", (results) => {
      const lost = sum(results.map((one) => one.lost));
      return `${lost} of ${sum(results.map((one) => one.writes))}`;
    }),
    ...(some((one) => one.leaked)
      ? [line("instances leaked", (results) => String(sum(results.map((one) => one.leaked))))]
      : []),
    ...(some((one) => one.restartsByProbe)
      ? [
          line("restarts fired by probes", (results) =>
            String(sum(results.map((one) => one.restartsByProbe))),
          ),
        ]
      : []),
    line("writes while no agent was there, mean", (results) =>
      mean(results.map((one) => one.writesWhileDown)).toFixed(1),
    ),
    line("last write → live where it is, p50 (p99)", (results) => {
      const seconds = results
        .filter((one) => one.isFinalCorrect)
        .map((one) => one.liveAfterMs / 1_000)
        .sort((a, b) => a - b);
      if (seconds.length === 0) return "never";
      const at = (share: number) => seconds[Math.floor((seconds.length - 1) * share)] ?? Number.NaN;
      return `${at(0.5).toFixed(1)} s (${at(0.99).toFixed(1)} s)`;
    }),
  ];
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
const mean = (numbers: readonly number[]) => sum(numbers) / numbers.length;
const percent = (share: number) => `${Number((share * 100).toFixed(1))} %`;

/** All columns of a scenario; ours last. */
export async function columnsOf(
  database: BenchDatabase,
  scenario: (typeof SCENARIOS)[number],
  runs: { readonly theirs: number; readonly ours: number },
): Promise<readonly Column[]> {
  const theirs = STRATEGIES.map((name) => ({
    name,
    results: Array.from({ length: runs.theirs }, (_, index) =>
      runStrategy(name, scenario, randomFrom(SEED + index)),
    ),
  }));
  const ours = await runOurs(database, scenario, { runs: runs.ours, seed: SEED });
  return [...theirs, { name: "ours", results: ours }];
}

/**
 * Scenarios A to L of lifecycle A1, the predecessor's four algorithms beside our reconciler; prints the
 * table and answers whether every promise of ours was kept in it.
 */
export async function compareRestarts(): Promise<boolean> {
  const server = await startPostgres();
  const broken: string[] = [];
  console.log(`\n${THEIR_RUNS} runs of each algorithm, ${OUR_RUNS} of ours; seed ${SEED}.\n`);
  console.log(`| scenario | ${[...STRATEGIES, "ours"].join(" | ")} |`);
  console.log("| --- | --- | --- | --- | --- | --- |");
  try {
    for (const scenario of SCENARIOS) {
      const { database, close } = await server.open(`bench_${scenario.id.toLowerCase()}`);
      const columns = await columnsOf(database, scenario, { theirs: THEIR_RUNS, ours: OUR_RUNS });
      await close();
      for (const line of linesOf(`${scenario.id}, ${scenario.title}`, columns)) console.log(line);
      const ours = columns.at(-1);
      if (ours !== undefined) broken.push(...brokenPromises(scenario.id, ours));
    }
  } finally {
    await server.stop();
  }
  for (const line of broken) console.error(`NOT KEPT: ${line}`);
  return broken.length === 0;
}

/** A throw-away Postgres with databases of their own. */
async function startPostgres() {
  const child = spawn(process.execPath, [path.join(ROOT, "apps/launcher/src/test-postgres.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const server = await urlOf(child);
  const open = async (name: string) => {
    const admin = postgres(server, { max: 1, onnotice: () => undefined });
    await admin.unsafe(`CREATE DATABASE ${name}`);
    await admin.end();
    const url = new URL(server);
    url.pathname = `/${name}`;
    await migrate({ url: url.href, folder: path.join(ROOT, "drizzle") });
    const db = openDatabase({ url: url.href, applicationName: "bench" });
    const sql = postgres(url.href, { max: 2, onnotice: () => undefined });
    const close = async () => {
      await db.close();
      await sql.end();
    };
    return { database: { db, sql }, close };
  };
  const stop = async () => {
    child.stdin?.end();
    if (child.exitCode === null) await once(child, "exit");
  };
  return { open, stop };
}

async function urlOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("invariant: its output is read");
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) return (JSON.parse(line) as { url: string }).url;
  }
  throw new Error("The Postgres of the bench did not start; see above.");
}
