import type { Database } from "@molecule/db/database";
import { recordObservation } from "@molecule/db/lifecycle/observe";
import { randomFrom } from "../../../worker/src/restart/agenda.fixture.ts";
import type { PlainSql } from "../../../worker/src/restart/fake-platform.ts";
import { VirtualPlatform } from "../../../worker/src/restart/virtual-platform.fixture.ts";
import { drawPace, type RunResult, type Scenario, type Script } from "./scenarios.ts";

const PROBE_EVERY_MS = 500;
/** Long enough for every timer of the first start to be over. */
const PAUSE_MS = 3_600_000;
const AT_ONCE = { stopMs: 0, createMs: 0, bootMs: 0 };

/** A migrated database of its own whose clock may be replaced. */
export interface BenchDatabase {
  readonly db: Database;
  readonly sql: PlainSql;
}

/** One workspace and its script. */
interface Run {
  readonly id: string;
  readonly script: Script;
  readonly seed: number;
  /** Generation of the last acknowledged write by path. */
  readonly written: Map<string, string>;
  whileDown: number;
  lastWriteAt: number;
  liveAt: number;
  hasClicked: boolean;
}

/** Runs of a scenario, all at once on one clock, against the real reconciler. The database ends used. */
export async function runOurs(
  database: BenchDatabase,
  scenario: Scenario,
  given: { readonly runs: number; readonly seed: number },
): Promise<readonly RunResult[]> {
  const runs = new Map<string, Run>();
  const virtual = new VirtualPlatform({
    ...database,
    pace: ({ workspaceId, attemptNo }) => {
      const run = runs.get(workspaceId);
      if (run === undefined || attemptNo === 1) return AT_ONCE;
      return drawPace(randomFrom(run.seed * 31 + attemptNo), run.script.boot);
    },
  });
  try {
    await virtual.freeze();
    for (let count = 0; count < scenario.processes; count += 1) await virtual.startWorker();
    for (let index = 0; index < given.runs; index += 1) {
      const seed = given.seed + index;
      const run: Run = {
        id: await virtual.platform.createWorkspace(),
        script: scenario.play(randomFrom(seed)),
        seed,
        written: new Map(),
        whileDown: 0,
        lastWriteAt: 0,
        liveAt: 0,
        hasClicked: false,
      };
      runs.set(run.id, run);
    }
    await virtual.run();
    const from = virtual.now + PAUSE_MS;
    virtual.onLive = ({ workspaceId }) => {
      const run = runs.get(workspaceId);
      if (run !== undefined) run.liveAt = virtual.now;
    };
    virtual.onStop = ({ workspaceId }) => {
      const run = runs.get(workspaceId);
      if (run !== undefined) clickLater(virtual, run);
    };
    for (const run of runs.values()) enter(virtual, run, from);
    enterProbes(virtual, database.db, [...runs.values()], from);
    await virtual.run();
    return await Promise.all([...runs.values()].map((run) => resultOf(virtual, run)));
  } finally {
    await virtual.close();
  }
}

function enter(virtual: VirtualPlatform, run: Run, from: number): void {
  const { writes, killAt } = run.script;
  for (const [index, { at, kind, files = 1 }] of writes.entries()) {
    virtual.agenda.add(from + at, async () => {
      const paths = Array.from({ length: files }, (_, n) => `${kind}-${index}-${n}.md`);
      if (virtual.upAttempt(run.id) === null) run.whileDown += 1;
      const generation = await virtual.write(run.id, { kind, paths });
      for (const path of paths) run.written.set(path, String(generation));
      run.lastWriteAt = virtual.now;
    });
  }
  if (killAt !== undefined) virtual.agenda.add(from + killAt, () => virtual.kill(run.id));
}

function clickLater(virtual: VirtualPlatform, run: Run): void {
  const { clickAfterRestart } = run.script;
  if (clickAfterRestart === undefined || run.hasClicked) return;
  run.hasClicked = true;
  virtual.agenda.add(virtual.now + clickAfterRestart, async () => {
    await virtual.platform.click(run.id);
  });
}

/** Every agent that does not answer is reported twice a second, as a message to it would do. */
function enterProbes(
  virtual: VirtualPlatform,
  db: Database,
  runs: readonly Run[],
  from: number,
): void {
  const longest = Math.max(0, ...runs.map(({ script }) => script.probesFor ?? 0));
  for (let at = PROBE_EVERY_MS; at < longest; at += PROBE_EVERY_MS) {
    virtual.agenda.add(from + at, async () => {
      for (const { id } of runs) {
        if (virtual.upAttempt(id) !== null) continue;
        const attemptNo = virtual.attemptUnderWay(id);
        await recordObservation(db, {
          workspaceId: id,
          attemptNo,
          kind: "unreachable",
          detail: null,
        });
      }
    });
  }
}

async function resultOf(virtual: VirtualPlatform, run: Run): Promise<RunResult> {
  const seen = await virtual.platform.see(run.id);
  const attempts = await virtual.platform.attempts(run.id);
  const lost = [...run.written].filter(
    ([path, generation]) => virtual.runsWith(run.id, path) !== generation,
  ).length;
  const running = virtual.backend.running().filter((one) => one.workspaceId === run.id);
  return {
    restarts: attempts.length - 1,
    restartsByProbe: attempts.filter(({ reason }) => reason === "crash" || reason === "unhealthy")
      .length,
    writes: run.written.size,
    lost,
    isFinalCorrect: lost === 0 && seen.phase === "READY" && seen.applied === seen.desired,
    leaked: Math.max(0, running.length - 1),
    writesWhileDown: run.whileDown,
    liveAfterMs: run.liveAt - run.lastWriteAt,
  };
}
