import { execFileSync } from "node:child_process";
import os from "node:os";
import type { StormOptions, StormResult } from "./run.ts";
import { quantile, scoreLines } from "./scoreboard.ts";

/** Longest list of broken promises that is printed per kind. */
const MAX_SHOWN = 20;

/** Prints the scoreboard and what broke; true when nothing did. */
export function printStorm(options: StormOptions, result: StormResult): boolean {
  const { scale, durations, broken } = result;
  const lines = scoreLines(options, result);
  console.log(`
scale: settle times × ${scale.settle}, lease ${scale.leaseMs} ms, poll ${scale.pollMs} ms; 4 workers, 2 servers, ${options.workspaces} workspaces at a time
seed ${options.seed}, commit ${commit()}, node ${process.version}, load ${os
    .loadavg()
    .map((one) => one.toFixed(1))
    .join(" ")}, backend ${options.backend}, ${options.minutes} min
done: ${JSON.stringify({ ...result.counts, ...result.faults })}
attempts by reason: ${JSON.stringify(result.byReason)}; ${result.witnessed} boots witnessed

| # | what | figure | bar | met |
| --- | --- | --- | --- | --- |`);
  for (const { id, what, figure, bar, isMet } of lines) {
    const met = isMet === null ? "—" : isMet ? "yes" : "NO";
    console.log(`| ${id} | ${what} | ${figure} | ${bar} | ${met} |`);
  }
  for (const [name, values] of Object.entries(durations) as [string, number[]][]) {
    const at = (share: number) => Math.round(quantile(values, share) ?? 0);
    console.log(
      `${name}: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`,
    );
  }
  for (const [name, list] of Object.entries(broken)) {
    for (const one of list.slice(0, MAX_SHOWN)) console.log(`${name}: ${one}`);
    if (list.length > MAX_SHOWN) console.log(`${name}: and ${list.length - MAX_SHOWN} more`);
  }
  return lines.every(({ isMet }) => isMet !== false);
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
