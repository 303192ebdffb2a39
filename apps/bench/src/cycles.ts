/**
 * `npm run cycles -- [--cycles 1000] [--backend process|docker] [--abreast 6]`: creates, speaks to,
 * restarts and deletes workspaces on the built product and prints what is left of them: instances,
 * folders, volumes, rows, tokens, open files and sockets. Ends with 1 when anything is.
 */
import { parseArgs } from "node:util";
import { type CyclesResult, runCycles } from "./cycles/run.ts";

const { values } = parseArgs({
  options: {
    cycles: { type: "string" },
    backend: { type: "string", default: "process" },
    abreast: { type: "string", default: "6" },
  },
});
const { backend } = values;
if (backend !== "process" && backend !== "docker") {
  console.error(`--backend ${backend} is none of process, docker.`);
  process.exit(2);
}
const cycles = Number(values.cycles ?? (backend === "process" ? 1000 : 100));
const abreast = Number(values.abreast);
console.log(`cycles: ${JSON.stringify({ cycles, backend, abreast })}`);
process.exitCode = print(await runCycles({ cycles, backend, abreast, say: console.log })) ? 0 : 1;

/** Open files that come and go with timers; what leaks grows with every cycle. */
function allowance(result: CyclesResult): number {
  return Math.max(4, Math.round(result.cycles / 100));
}

function print(result: CyclesResult): boolean {
  const allowed = allowance(result);
  const grown = result.after.map((now, i) => ({
    ...now,
    more: now.files - (result.before[i]?.files ?? 0),
    was: result.before[i],
  }));
  console.log(`
| what | figure | bar |
| --- | --- | --- |
| cycles (failed) | ${result.cycles} (${result.failed.length}) | — (0) |
| attempts | ${result.attempts} | ${2 * result.cycles} |
| instances, folders, volumes, rows, tokens left | ${result.left.length} | 0 |
| new entries in the platform's folder | ${result.newEntries.length} | 0 |`);
  for (const one of grown) {
    console.log(
      `| open files of the ${one.process} (sockets; memory) | ${one.was?.files} → ${one.files} (${one.was?.sockets} → ${one.sockets}; ${one.was?.residentMb} → ${one.residentMb} MB) | at most ${allowed} more |`,
    );
  }
  console.log(`\n${(result.tookMs / 1000).toFixed(1)} s`);
  const lines = [...result.failed, ...result.left, ...result.newEntries];
  for (const line of lines) console.log(line);
  return lines.length === 0 && grown.every(({ more }) => more <= allowed);
}
