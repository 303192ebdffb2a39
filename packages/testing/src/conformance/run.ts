import { startAgentDouble } from "./agent-double.ts";
import type { ConformanceCase } from "./case.ts";
import { activityCases } from "./cases/activity.ts";
import { conventionCases } from "./cases/conventions.ts";
import { creationCases } from "./cases/creation.ts";
import { delegationCases } from "./cases/delegation.ts";
import { eventCases } from "./cases/events.ts";
import { fileCases } from "./cases/files.ts";
import { guardCases } from "./cases/guards.ts";
import { heartbeatCases } from "./cases/heartbeat.ts";
import { operationCases } from "./cases/operations.ts";
import { orgCases } from "./cases/org-import.ts";
import { pluginCases } from "./cases/plugins.ts";
import { proxyCases } from "./cases/proxy.ts";
import { registryCases } from "./cases/registry.ts";
import { scheduleCases } from "./cases/schedules.ts";
import { tokenCases } from "./cases/tokens.ts";
import { workspaceCases } from "./cases/workspaces.ts";
import { knownOpen } from "./known-open.ts";
import type { Outcome } from "./report.ts";
import { runCase } from "./run-case.ts";
import { World } from "./world.ts";

/** Every case, in the order of the contract. */
export const CASES: readonly ConformanceCase[] = [
  ...conventionCases,
  ...guardCases,
  ...workspaceCases,
  ...creationCases,
  ...registryCases,
  ...heartbeatCases,
  ...orgCases,
  ...pluginCases,
  ...proxyCases,
  ...delegationCases,
  ...activityCases,
  ...fileCases,
  ...scheduleCases,
  ...tokenCases,
  ...eventCases,
  ...operationCases,
];

/** Which server, and how. */
export interface RunOptions {
  readonly base: string;
  /** The operator's token. */
  readonly token: string;
  /** Where the server reaches the suite's own agent; absent: the loopback address. */
  readonly agentUrl?: string;
  /** Address the suite's own agent listens on. Default 127.0.0.1. */
  readonly agentHost?: string;
  /** A runtime that the server starts itself. Default claude-code. */
  readonly runtime?: string;
  /** Only cases whose id contains this. */
  readonly only?: string;
  /** Cases at the same time. Default 4. */
  readonly parallel?: number;
  /** Leave what was made: the database goes anyway. */
  readonly keeps?: boolean;
  /** What the known list excuses is a failure all the same. */
  readonly isStrict?: boolean;
}

/** Runs the suite over HTTP; changes nothing but workspaces of its own and the canvas's viewport. */
export async function runConformance(options: RunOptions): Promise<Outcome[]> {
  const { base, token, only = "", parallel = 4, isStrict = false } = options;
  await using agent = await startAgentDouble(options.agentHost ?? "127.0.0.1");
  const world = new World({
    base: base.replace(/\/+$/, ""),
    token,
    agentUrl: (options.agentUrl ?? `http://127.0.0.1:${agent.port}`).replace(/\/+$/, ""),
    runtime: options.runtime ?? "claude-code",
    keeps: options.keeps === true,
  });
  const wanted = CASES.filter((one) => one.id.includes(only));
  const outcomes: Outcome[] = [];
  const waiting = wanted.map((one, at) => ({ one, at }));
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { one, at } = next;
      outcomes[at] = outcomeOf(one, await runCase(world, one), isStrict);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  await world.clear();
  return outcomes;
}

function outcomeOf(one: ConformanceCase, problem: string | null, isStrict: boolean): Outcome {
  if (problem === null) return { case: one, result: "passed", about: "" };
  const excuse = isStrict ? null : knownOpen(one.id);
  return excuse === null
    ? { case: one, result: "failed", about: problem }
    : { case: one, result: "open", about: excuse };
}
