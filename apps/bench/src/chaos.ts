/**
 * `npm run chaos -- --minutes 10 [--backend process|docker] [--workspaces 8] [--seed N]`: a storm on the
 * built product with four workers and two servers, and the scoreboard of its whole history. Containers
 * run on an engine of its own, as root, which is stopped and killed too.
 * `npm run chaos -- [--writes 200] [--kills 20] [--backend process|docker] [--workspaces 5] [--seed N]`:
 * random writes to the built product while its worker is killed with -9, and a scoreboard of what came
 * of it. Ends with 1 when a promise was broken.
 */
import { parseArgs } from "node:util";
import { printStorm } from "./chaos/print-storm.ts";
import { runStorm } from "./chaos/run.ts";
import { type ChaosResult, runChaos } from "./chaos-run.ts";
import { canStartEngine, startOwnEngine } from "./own-engine.fixture.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    writes: { type: "string", default: "200" },
    kills: { type: "string", default: "20" },
    backend: { type: "string", default: "process" },
    workspaces: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const { backend } = values;
if (backend !== "process" && backend !== "docker") {
  console.error(`--backend ${backend} is none of process, docker.`);
  process.exit(2);
}
const options = {
  backend,
  writes: Number(values.writes),
  kills: Number(values.kills),
  workspaces: Number(values.workspaces ?? 5),
  seed: Number(values.seed),
} as const;

if (values.minutes === undefined) {
  console.log(`chaos: ${JSON.stringify(options)}`);
  print(await runChaos({ ...options, say: console.log }));
} else {
  await using engine = backend === "docker" && canStartEngine() ? await startOwnEngine() : null;
  // Containers are looked at with the command line, which asks the same engine then.
  if (engine !== null) process.env.DOCKER_HOST = engine.dockerHost;
  const storm = {
    minutes: Number(values.minutes),
    backend,
    workspaces: Number(values.workspaces ?? 8),
    seed: options.seed,
    pace: {
      killMs: 1_000,
      stopMs: 1_400,
      agentKillMs: 15_000,
      databaseMs: 26_000,
      engineMs: 6_500,
    },
    engine,
    say: console.log,
  } as const;
  process.exitCode = printStorm(storm, await runStorm(storm)) ? 0 : 1;
}

function print(found: ChaosResult): void {
  const { attempts } = found;
  const zero: readonly (readonly [string, readonly string[]])[] = [
    ["failed writes", found.failedWrites],
    ["lost values", found.lost],
    ["applied ≠ desired", found.notApplied],
    ["extra or missing agents", found.strays],
    ["attempts without reason or end", found.unexplained],
    ["agents left after delete", found.leftAfterDelete],
  ];
  console.log(`
| what | figure | bar |
| --- | --- | --- |
| acknowledged writes | ${found.acknowledged} | ${options.writes} |
| kills of the worker (in a restart) | ${found.kills} (${found.killsInRestart}) | ${options.kills} |
| attempts | ${Object.values(attempts).reduce((sum, count) => sum + count, 0)} | — |
| rest after | ${found.restAfterMs} ms | — |`);
  for (const [name, list] of zero) console.log(`| ${name} | ${list.length} | 0 |`);
  console.log(`\nattempts by reason: ${JSON.stringify(attempts)}`);
  for (const [name, list] of zero) for (const line of list) console.log(`${name}: ${line}`);
  process.exitCode = zero.every(([, list]) => list.length === 0) ? 0 : 1;
}
