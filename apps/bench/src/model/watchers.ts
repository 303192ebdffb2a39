/** Prober, sweeper, token revoker and a writer, each step by step like the worker. */
import { sweepVerdict } from "@molecule/domain/sweep";
import { inspect, list, remove } from "./provider.ts";
import { bumpGeneration, commitData, type ModelWrite, observe, revokeBelow } from "./store.ts";
import type { Steps } from "./worker.ts";
import type { World } from "./world.ts";

/** Three beats. */
const SILENT_MS = 90_000;

/** One round of the prober: the listing first, then what is expected, then a second look. */
export function* probe(world: World): Steps {
  const listed = new Set(list(world).map(({ attemptNo }) => attemptNo));
  yield;
  const { row } = world;
  const isExpected = row.phase === "READY" || world.mutant === "M7";
  if (!isExpected || row.intent !== "run") return;
  const no = row.currentAttempt;
  yield;
  const state = inspect(world, no);
  if (state !== "running") {
    yield;
    observe(world, no, { kind: state === null ? "gone" : "exited" });
    return;
  }
  const heardAt = Math.max(world.beat?.attemptNo === no ? world.beat.at : 0, row.readyAt ?? 0);
  if (!listed.has(no) || heardAt >= world.now - SILENT_MS) return;
  const isHung = [...world.instances.values()].some((one) => one.attemptNo === no && one.isHung);
  yield;
  observe(world, no, { kind: isHung ? "unreachable" : "missed_heartbeat" });
}

/** One pass of the sweeper: the listing first, the database second, then one removal after another. */
export function* sweep(world: World): Steps {
  if (world.mutant === "M11") return;
  const { row } = world;
  const isEarly = world.mutant === "M5";
  let read = readForSweep(world);
  if (isEarly) yield;
  const listed = list(world);
  if (!isEarly) {
    yield;
    read = readForSweep(world);
  }
  const doomed = listed.filter(({ id, attemptNo }) => {
    if (isEarly) return attemptNo !== read.currentAttempt;
    const verdict = sweepVerdict(
      {
        providerId: String(id),
        labelAttempt: attemptNo,
        workspace: { ...read, machineAttempt: read.machines.get(id) ?? null },
        unknownForMs: 0,
      },
      60_000,
    );
    return verdict === "remove" || verdict === "remove_deleted";
  });
  for (const { id } of doomed) {
    yield;
    remove(world, id, row.intent === "deleted");
    const machine = world.machines.get(id);
    if (machine !== undefined) machine.isRemoved = true;
  }
}

function readForSweep(world: World) {
  const { row } = world;
  const machines = new Map([...world.machines].map(([id, one]) => [id, one.attemptNo]));
  return {
    isDeleted: row.phase === "DELETED",
    isResting: row.phase === "PAUSED",
    currentAttempt: row.currentAttempt,
    machines,
  };
}

/** Revokes what older attempts left; by number, so that a fresh token cannot be hit. */
export function* revoke(world: World): Steps {
  const no = world.row.currentAttempt;
  const isStale = [...world.tokens].some(([of, isRevoked]) => of < no && !isRevoked);
  // The predicate of M6 was true when it was read: only older attempts had tokens.
  if (world.mutant === "M6" ? world.row.phase !== "STOPPING" : !isStale) return;
  yield;
  if (world.mutant === "M6") revokeBelow(world, Number.POSITIVE_INFINITY);
  else revokeBelow(world, world.row.currentAttempt);
}

/** One write: generation and data in one transaction. */
export function* write(world: World, what: ModelWrite): Steps {
  const isSplit = world.mutant === "M9";
  const gen = bumpGeneration(world, what);
  if (gen === null) return;
  if (isSplit) {
    world.missingData.add(gen);
    yield;
  }
  commitData(world, gen);
}
