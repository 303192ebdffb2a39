import type { Phase } from "@molecule/domain/sets";
import { ACTORS, type Cast, finishRound, newCast, passTime, untilNext } from "./actors.ts";
import { checkAlways, checkAtRest, checkBounded } from "./checks.ts";
import type { MutantId } from "./mutants.ts";
import { click, setPolicy, want } from "./store.ts";
import { newWorld, Violation, type World } from "./world.ts";

/** One step of a schedule: who acts, and the random number it acts by. */
export interface Move {
  readonly actor: string;
  readonly r: number;
}

/** How a schedule broke a promise. */
export interface Broken {
  readonly promise: string;
  readonly detail: string;
  /** Index of the move after which it was seen; the length of the schedule when at rest. */
  readonly at: number;
}

/** What one schedule showed besides. */
export interface Outcome {
  readonly broken: Broken | null;
  readonly attempts: number;
  readonly ignoredReports: number;
}

const NAMES = Object.keys(ACTORS);

/** A generator of 32-bit numbers (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/**
 * The schedule of a seed. Swarm: each actor gets a weight of 2^-5 to 2^5 for the whole run, so that some
 * starve for long while others flood, which finds what evenly random schedules nearly miss.
 */
export function scheduleOf(seed: number): readonly Move[] {
  const random = randomOf(seed);
  const fraction = () => random() / 2 ** 32;
  const limits: number[] = [];
  let total = 0;
  for (const name of NAMES) {
    // Work and time are never starved as much as the rest, or nothing would happen at all.
    const base = name.startsWith("worker") || name === "clock" || name === "agents" ? 24 : 1;
    total += base * 2 ** (fraction() * 10 - 5);
    limits.push(total);
  }
  const length = 60 + Math.floor(fraction() * 340);
  const moves: Move[] = [];
  for (let count = 0; count < length; count += 1) {
    const at = fraction() * total;
    const index = limits.findIndex((limit) => at < limit);
    moves.push({ actor: NAMES[index] ?? "worker1", r: random() });
  }
  return moves;
}

/** Runs a schedule and then lets everything come to rest. Deterministic. */
export function runSchedule(moves: readonly Move[], mutant: MutantId | null): Outcome {
  const world = newWorld(mutant);
  const cast = newCast(world);
  let at = 0;
  try {
    for (const move of moves) {
      world.step += 1;
      ACTORS[move.actor]?.(cast, move.r);
      checkAlways(world);
      at += 1;
    }
    comeToRest(cast);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return outcomeOf(world, { promise: error.promise, detail: error.message, at });
  }
  return outcomeOf(world, null);
}

function outcomeOf(world: World, broken: Broken | null): Outcome {
  return { broken, attempts: world.attempts.length, ignoredReports: world.ignoredReports };
}

/** Faults and people end; the platform goes on until nothing changes, and every promise is looked at. */
function comeToRest(cast: Cast): void {
  const { world } = cast;
  world.providerFaults = 0;
  for (const worker of cast.workers) {
    worker.isPaused = false;
    worker.isDeaf = false;
  }
  for (const one of world.instances.values()) one.activeTasks = 0;
  settle(cast);
  if (world.row.intent === "paused" || world.row.intent === "hibernated") {
    want(world, "resume");
    settle(cast);
  }
  if (world.row.phase === "FAILED") {
    world.step += 1;
    click(world);
    settle(cast);
    mustRun(world.row.phase);
  }
  if (world.row.applyPolicy === "hold") {
    setPolicy(world, "settle");
    settle(cast);
  }
  checkBounded(world);
}

const QUIET_ROUNDS = 3;
const MAX_ROUNDS = 100;

function settle(cast: Cast): void {
  const { world } = cast;
  let quiet = 0;
  for (let round = 0; quiet < QUIET_ROUNDS; round += 1) {
    if (round > MAX_ROUNDS) throw new Violation("comes to rest", `still ${world.row.phase}`);
    world.step += 1;
    finishRound(cast);
    ACTORS.agents?.(cast, round);
    checkAlways(world);
    const hop = untilNext(world);
    const isDue = world.row.nextActionAt !== null && world.row.nextActionAt <= world.now;
    quiet = hop === null && !isDue ? quiet + 1 : 0;
    if (hop !== null) passTime(cast, hop);
  }
  checkAtRest(world);
}

function mustRun(phase: Phase): void {
  if (phase !== "READY") throw new Violation("a click acts", `still ${phase}`);
}

/** The shortest schedule that breaks the same promise: moves are left out while it still does. */
export function shorten(moves: readonly Move[], mutant: MutantId | null): readonly Move[] {
  const promise = runSchedule(moves, mutant).broken?.promise;
  if (promise === undefined) return moves;
  const isBad = (some: readonly Move[]) => runSchedule(some, mutant).broken?.promise === promise;
  let kept = moves;
  for (let size = Math.ceil(kept.length / 2); size >= 1; ) {
    let isShorter = false;
    for (let from = 0; from < kept.length; ) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (isBad(fewer)) {
        kept = fewer;
        isShorter = true;
      } else from += size;
    }
    if (size > 1) size = Math.ceil(size / 2);
    else if (!isShorter) break;
  }
  return kept;
}
