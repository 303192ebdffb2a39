import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { listAgents } from "../instances.ts";
import type { OwnEngine } from "../own-engine.fixture.ts";
import type { Stage } from "./actors.ts";
import type { Crew } from "./crew.ts";

/** How often each fault was done. */
export interface FaultCounts {
  workerKills: number;
  serverKills: number;
  agentKills: number;
  stops: number;
  databaseRestarts: number;
  engineRestarts: number;
}

/** Pauses between two faults of a kind, in ms; 0: none of them. */
export interface FaultPace {
  readonly killMs: number;
  readonly stopMs: number;
  readonly agentKillMs: number;
  readonly databaseMs: number;
  readonly engineMs: number;
}

/** What faults are done to. */
export interface Victims {
  readonly crew: Crew;
  readonly stage: Stage;
  readonly leaseMs: number;
  /** Age from which a process counts as at work. */
  readonly workMs: number;
  readonly backend: "process" | "docker";
  readonly platformId: string;
  readonly home: string;
  /** The Docker engine that the agents run on; null where it is not the storm's to end. */
  readonly engine: OwnEngine | null;
  readonly pace: FaultPace;
  readonly counts: FaultCounts;
}

/** All faults at once until it is over; afterwards nothing is stopped any more. */
export async function doFaults(victims: Victims): Promise<void> {
  const { pace } = victims;
  await Promise.all([
    repeat(victims, pace.killMs, () => killOne(victims)),
    repeat(victims, pace.stopMs, () => stopOne(victims)),
    repeat(victims, pace.agentKillMs, () => killAgent(victims)),
    repeat(victims, pace.databaseMs, () => restartDatabase(victims)),
    repeat(victims, pace.engineMs, () => restartEngine(victims)),
  ]);
}

async function repeat(
  { stage }: Victims,
  everyMs: number,
  fault: () => Promise<void>,
): Promise<void> {
  if (everyMs === 0) return;
  const { isOver, dice } = stage;
  while (!isOver.aborted) {
    const ms = everyMs / 2 + dice(everyMs);
    await delay(ms, undefined, { signal: isOver }).catch(() => undefined);
    if (!isOver.aborted) await fault();
  }
}

/** False when it was gone already. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** How long a process has run, in ms; null when it is gone. */
async function ageMs(pid: number): Promise<number | null> {
  const begun = await stat(`/proc/${pid}`).catch(() => null);
  return begun === null ? null : Date.now() - begun.ctimeMs;
}

/**
 * One that has come to work is killed while another is at work too: on a machine that is too busy to start
 * workers as fast as they die, nothing would happen that could go wrong.
 */
async function killOne({ crew, stage, counts, workMs }: Victims): Promise<void> {
  const part = stage.dice(5) === 0 ? "server" : "worker";
  const pids = await crew.pids(part);
  const ages = await Promise.all(pids.map(ageMs));
  const atWork = pids.filter((_, index) => (ages[index] ?? 0) > workMs);
  const pid = atWork[stage.dice(Math.max(atWork.length, 1))];
  if (pid === undefined || atWork.length < 2 || !signal(pid, "SIGKILL")) return;
  counts[part === "server" ? "serverKills" : "workerKills"] += 1;
}

/** Past its lease somebody else takes over; woken, it must notice that it is too late. */
async function stopOne({ crew, stage, leaseMs, counts }: Victims): Promise<void> {
  const pids = await crew.pids("worker");
  const pid = pids[stage.dice(Math.max(pids.length, 1))];
  if (pid === undefined || !signal(pid, "SIGSTOP")) return;
  await delay(leaseMs * (1.5 + stage.dice(20) / 10));
  if (signal(pid, "SIGCONT")) counts.stops += 1;
}

async function killAgent(victims: Victims): Promise<void> {
  const { stage, platformId, home, backend, counts } = victims;
  // Containers are ended by the engine's own tests; here only what is a process of this machine.
  if (backend !== "process") return;
  const agents = (await listAgents("process", platformId, home)).filter(
    (one) => one.pid !== undefined,
  );
  const agent = agents[stage.dice(Math.max(agents.length, 1))];
  const subject = stage.subjects.find((one) => one.id === agent?.workspaceId);
  if (agent?.pid === undefined || subject === undefined) return;
  // Counted first: the restart for it may begin before the next line.
  subject.pressed.deaths += 1;
  stage.killings.push({ pid: agent.pid, at: Date.now() });
  if (signal(agent.pid, "SIGKILL")) counts.agentKills += 1;
}

const ENDS = ["SIGINT", "SIGQUIT", "SIGKILL"] as const;

/** In turn: an ordered restart, one with recovery, and a killed postmaster. */
async function restartDatabase({ crew, counts }: Victims): Promise<void> {
  const pid = await crew.postmaster();
  const how = ENDS[counts.databaseRestarts % ENDS.length] ?? "SIGINT";
  if (pid !== null && signal(pid, how)) counts.databaseRestarts += 1;
}

/** In turn: an ordered restart, and a killed engine. Away for up to a second and a half. */
async function restartEngine({ engine, stage, counts }: Victims): Promise<void> {
  if (engine === null) return;
  // Counted first, as one end of everything that may run.
  for (const subject of stage.subjects) subject.pressed.deaths += 1;
  await engine.end(counts.engineRestarts % 2 === 0 ? "SIGTERM" : "SIGKILL");
  await delay(stage.dice(1_500));
  await engine.start();
  counts.engineRestarts += 1;
}
