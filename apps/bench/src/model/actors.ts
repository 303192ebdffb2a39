import { beat, click, observe, setPolicy, stopTrying, want } from "./store.ts";
import { probe, revoke, sweep, write } from "./watchers.ts";
import { type Steps, work } from "./worker.ts";
import { type Instance, LEASE_MS, type World } from "./world.ts";

/** A process of the platform in the middle of something, or idle. */
interface Process {
  steps: Steps | null;
  /** Does nothing until it is woken; its lease runs out meanwhile. */
  isPaused: boolean;
  /** Its renewals do not reach the database. */
  isDeaf: boolean;
  owner: number;
}

/** Everything that acts on a world. */
export interface Cast {
  readonly world: World;
  readonly workers: readonly Process[];
  readonly prober: Process;
  readonly sweepers: readonly Process[];
  readonly revoker: Process;
  readonly writers: readonly Process[];
  nextOwner: number;
}

const idle = (owner: number): Process => ({ steps: null, isPaused: false, isDeaf: false, owner });

export function newCast(world: World): Cast {
  return {
    world,
    workers: [idle(1), idle(2)],
    prober: idle(0),
    sweepers: [idle(0), idle(0)],
    revoker: idle(0),
    writers: [idle(0), idle(0)],
    nextOwner: 3,
  };
}

/** Goes on with a process by one step, or begins its next piece of work. */
function advance(process: Process, next: () => Steps): void {
  if (process.isPaused) return;
  process.steps ??= next();
  try {
    if (process.steps.next().done === true) process.steps = null;
  } catch (error) {
    process.steps = null;
    // A watcher whose provider fails ends its round; what it holds is looked at in the next.
    if (error instanceof Error && error.message === "the provider failed") return;
    throw error;
  }
}

const pick = <T>(of: readonly T[], r: number): T | undefined => of[r % of.length];

function instances(world: World, isWanted: (one: Instance) => boolean): readonly Instance[] {
  return [...world.instances.values()].filter(isWanted);
}

function isLive(one: Instance): boolean {
  return one.state === "running" && !one.isHung;
}

/** Lets time pass. Workers that are awake renew their leases meanwhile. */
export function passTime(cast: Cast, ms: number): void {
  const { world } = cast;
  world.now += ms;
  for (const worker of cast.workers) {
    const isHolding = worker.steps !== null && !worker.isPaused && !worker.isDeaf;
    if (isHolding && world.row.leaseOwner === worker.owner)
      world.row.leaseUntil = world.now + LEASE_MS;
  }
}

/** The time until somebody may claim the row; null when nobody ever will, or may now. */
export function untilNext({ row, now, mutant }: World): number | null {
  if (row.nextActionAt === null) return null;
  const lease = mutant === "M16" ? 0 : (row.leaseUntil ?? 0);
  const at = Math.max(row.nextActionAt, lease);
  return at >= now ? at - now + 1 : null;
}

function kill(cast: Cast, worker: Process): void {
  worker.steps = null;
  worker.isPaused = false;
  worker.isDeaf = false;
  worker.owner = cast.nextOwner;
  cast.nextOwner += 1;
}

/** Everybody ends what they are at, or does one whole piece of work; nobody writes anything new. */
export function finishRound(cast: Cast): void {
  const { world } = cast;
  for (const writer of cast.writers) {
    while (writer.steps !== null) advance(writer, () => revoke(world));
  }
  for (const worker of cast.workers) finish(worker, () => work(world, worker.owner));
  finish(cast.prober, () => probe(world));
  for (const sweeper of cast.sweepers) finish(sweeper, () => sweep(world));
  finish(cast.revoker, () => revoke(world));
}

function finish(process: Process, next: () => Steps): void {
  do advance(process, next);
  while (process.steps !== null);
}

type Act = (cast: Cast, r: number) => void;

const runWorker =
  (index: number): Act =>
  (cast) => {
    const worker = cast.workers[index];
    if (worker !== undefined) advance(worker, () => work(cast.world, worker.owner));
  };

const onWorker =
  (then: (cast: Cast, worker: Process) => void): Act =>
  (cast, r) => {
    const worker = pick(cast.workers, r);
    if (worker !== undefined) then(cast, worker);
  };

const KINDS = ["file", "file", "setting", "secret"] as const;

/** Each actor by name; `r` is a random number of its own. One that has nothing to do does nothing. */
export const ACTORS: Readonly<Record<string, Act>> = {
  worker1: runWorker(0),
  worker2: runWorker(1),
  clock: (cast, r) => {
    const hop = untilNext(cast.world);
    passTime(cast, r % 3 === 0 && hop !== null ? hop : 1 + (r % 20_000));
  },
  writer: (cast, r) => {
    const writer = pick(cast.writers, r);
    const kind = pick(KINDS, r >>> 4) ?? "file";
    const what = { kind, isBatch: (r >>> 8) % 4 === 0 };
    if (writer !== undefined) advance(writer, () => write(cast.world, what));
  },
  clicker: ({ world }) => click(world),
  stopper: ({ world }) => stopTrying(world),
  agents: ({ world }, r) => {
    const one = pick(instances(world, isLive), r);
    if (one !== undefined) beat(world, one.attemptNo, one.activeTasks);
  },
  prober: (cast) => advance(cast.prober, () => probe(cast.world)),
  sweeper: (cast, r) => {
    const sweeper = pick(cast.sweepers, r);
    if (sweeper !== undefined) advance(sweeper, () => sweep(cast.world));
  },
  revoker: (cast) => advance(cast.revoker, () => revoke(cast.world)),
  deleter: ({ world }, r) => {
    if (r % 8 === 0) want(world, "delete");
  },
  pauser: ({ world }, r) => want(world, r % 3 === 0 ? "hibernate" : "pause"),
  resumer: ({ world }, r) => want(world, r % 2 === 0 ? "resume" : "wake"),
  crasher: ({ world }, r) => end(world, r, (one) => one.state === "running"),
  hanger: ({ world }, r) => {
    const one = pick(instances(world, isLive), r);
    if (one === undefined) return;
    one.isHung = true;
    world.causes.downs += 1;
  },
  providerFaults: ({ world }, r) => {
    world.providerFaults = 1 + (r % 3);
  },
  killer: onWorker(kill),
  pausing: onWorker((_, worker) => {
    worker.isPaused = worker.steps !== null;
  }),
  waking: onWorker((_, worker) => {
    worker.isPaused = false;
  }),
  deafness: onWorker((_, worker) => {
    worker.isDeaf = !worker.isDeaf;
  }),
  turns: ({ world }, r) => {
    const one = pick(instances(world, isLive), r);
    if (one !== undefined) one.activeTasks = (r >>> 4) % 2;
  },
  policy: ({ world }, r) =>
    setPolicy(world, pick(["settle", "settle", "idle", "hold"] as const, r) ?? "settle"),
  platformStop: ({ world }) => stopWithPlatform(world),
};

function end(world: World, r: number, isWanted: (one: Instance) => boolean): void {
  const one = pick(instances(world, isWanted), r);
  if (one === undefined) return;
  one.state = "exited";
  world.causes.downs += 1;
}

/** The agent ends with its platform, which writes that down. */
function stopWithPlatform(world: World): void {
  const no = world.row.currentAttempt;
  const [one] = instances(world, ({ attemptNo }) => attemptNo === no);
  if (one === undefined) return;
  world.instances.delete(one.id);
  const isTold = observe(world, no, { kind: "gone", isPlatformStop: true, isInHand: true });
  // Ended before its start was recorded: nobody can know why it is gone.
  if (isTold) world.causes.platformStops += 1;
  else world.causes.downs += 1;
}
