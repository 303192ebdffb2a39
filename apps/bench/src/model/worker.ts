/**
 * The reconciler of `apps/worker/src/restart`, step by step: every `yield` is a place where it can be
 * overtaken, paused past its lease or killed. What lies between two is one transaction or one call.
 */

import { stepRetryDelayMs } from "@molecule/domain/backoff";
import { type Decision, decide } from "@molecule/domain/decide";
import { create, inspect, list, ProviderFault, remove } from "./provider.ts";
import {
  advance,
  begin,
  type Claim,
  claim,
  closeOpenAttempt,
  factsOf,
  failAttempt,
  holds,
  makeReady,
  observe,
  readContent,
  recordCrash,
  recordCreated,
  recordPaused,
  release,
  snapshot,
} from "./store.ts";
import {
  type Content,
  CREATE_TIMEOUT_MS,
  currentAttempt,
  LIFECYCLE,
  STOP_ALERT_MS,
  Violation,
  type World,
} from "./world.ts";

export type Steps = Generator<undefined, void, undefined>;
type StepOf<T> = Generator<undefined, T, undefined>;
type Result = "again" | "released" | "lost";

/** A decision with the attempt it was made for. */
interface Todo {
  readonly decision: Decision;
  readonly attemptNo: number;
}

interface Work {
  readonly world: World;
  readonly claim: Claim;
  content: { readonly attemptNo: number; readonly content: Content } | null;
}

const MAX_STEPS = 24;

/** What is decided now. M7 adds the edge that probes must not have. */
function decideNow(world: World): Decision {
  const facts = factsOf(world);
  const isOpen = facts.phase === "STOPPING" || facts.phase === "CREATING";
  if (world.mutant === "M7" && isOpen && facts.intent === "run" && facts.down !== null) {
    return { kind: "begin", reason: "crash" };
  }
  return decide(facts, new Date(world.now), LIFECYCLE);
}

/** One claim, worked on until there is nothing to do now. */
export function* work(world: World, owner: number): Steps {
  const held = claim(world, owner);
  if (held === null) return;
  yield;
  const job: Work = { world, claim: held, content: null };
  let result: Result = "again";
  for (let count = 0; count < MAX_STEPS && result === "again"; count += 1) {
    result = yield* step(job);
    yield;
  }
  if (result === "again" && world.row.leaseEpoch === held.epoch) {
    world.row.leaseOwner = null;
    world.row.leaseUntil = null;
  }
}

function* step(job: Work): StepOf<Result> {
  try {
    const decided = decideStep(job);
    if (typeof decided === "string") return decided;
    yield;
    return yield* carryOut(job, decided);
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error;
    yield;
    return recover(job);
  }
}

/** `decideStep`: gathers, decides, and does what needs only the database. */
function decideStep({ world, claim: held }: Work): Result | Todo {
  if (!holds(world, held)) return "lost";
  const decision = decideNow(world);
  switch (decision.kind) {
    case "none":
      release(world, decision.wakeAt?.getTime() ?? null);
      return "released";
    case "begin":
      begin(world, decision.reason);
      return "again";
    case "ready":
      makeReady(world, world.row.currentAttempt);
      return "again";
    case "stop":
      if (world.row.currentAttempt > 1) advance(world, "stopping");
      break;
    case "delete":
      if (world.row.phase !== "DELETING") {
        closeOpenAttempt(world);
        world.row.phase = "DELETING";
        world.row.deadlineAt = world.now + STOP_ALERT_MS;
      }
      break;
    default:
      break;
  }
  return { decision, attemptNo: world.row.currentAttempt };
}

/** `recordStep`: records only while the decision that asked for it still stands. */
function record(job: Work, todo: Todo, then: () => Result): Result {
  const { world } = job;
  if (!holds(world, job.claim)) return "lost";
  if (world.mutant === "M16") return then();
  const isSame =
    decideNow(world).kind === todo.decision.kind && world.row.currentAttempt === todo.attemptNo;
  return isSame ? then() : "again";
}

function* carryOut(job: Work, todo: Todo): StepOf<Result> {
  const { world } = job;
  const { decision } = todo;
  switch (decision.kind) {
    case "stop":
      yield* removeInstances(job, todo);
      return record(job, todo, () => {
        advance(world, "preparing");
        return "again";
      });
    case "snapshot":
      return yield* takeSnapshot(job, todo);
    case "create":
      return yield* createInstance(job, todo);
    case "awaitBoot":
      return yield* awaitBoot(job, todo);
    case "bootTimeout":
    case "bootExited":
      return record(job, todo, () => {
        failAttempt(world, decision.kind === "bootTimeout" ? "boot_timeout" : "boot_failed");
        return "again";
      });
    case "backoff":
      return record(job, todo, () => {
        recordCrash(world, decision);
        return "again";
      });
    case "pause":
      yield* removeInstances(job, todo);
      if (!holds(world, job.claim)) return "lost";
      if (world.row.intent !== "deleted") recordPaused(world);
      return "again";
    case "delete":
      yield* removeInstances(job, todo);
      return record(job, todo, () => {
        world.row.phase = "DELETED";
        world.row.deadlineAt = null;
        world.row.nextActionAt = null;
        return "again";
      });
    default:
      throw new Error("invariant: this decision needs no backend");
  }
}

function* removeInstances({ world }: Work, { decision, attemptNo }: Todo): StepOf<void> {
  const isStop = decision.kind === "stop";
  const below = isStop ? attemptNo : attemptNo + 1;
  const isOurs = (no: number) => no < below || world.mutant === "M4";
  const found = new Set<number>();
  for (const [id, one] of world.machines)
    if (!one.isRemoved && isOurs(one.attemptNo)) found.add(id);
  yield;
  for (const one of list(world)) if (isOurs(one.attemptNo)) found.add(one.id);
  for (const id of found) {
    yield;
    remove(world, id, !isStop);
    yield;
    const machine = world.machines.get(id);
    if (machine !== undefined) machine.isRemoved = true;
  }
  yield;
}

function* takeSnapshot(job: Work, todo: Todo): StepOf<Result> {
  const { world } = job;
  // Preparing (an image is pulled) takes its time before the row is locked.
  yield;
  let early: Content | null = null;
  if (world.mutant === "M1") {
    early = readContent(world);
    yield;
  }
  return record(job, todo, () => {
    const content = early ?? snapshot(world);
    if (early !== null) snapshot(world);
    job.content = { attemptNo: todo.attemptNo, content };
    checkHistory(world, content);
    return "again";
  });
}

/** Every attempt's content against its generation: the check that finds what the end state hides. */
function checkHistory(world: World, content: Content): void {
  const snapGen = currentAttempt(world)?.snapGen ?? 0;
  if (content.complete < snapGen) {
    throw new Violation(
      "an attempt holds every write of its generation",
      `generation ${snapGen} with the writes up to ${content.complete}`,
    );
  }
}

function* createInstance(job: Work, todo: Todo): StepOf<Result> {
  const { world } = job;
  let known = job.content?.attemptNo === todo.attemptNo ? job.content.content : null;
  if (known === null) {
    // A worker that took over reads again: the content of now holds at least the generation.
    const read = record(job, todo, () => {
      known = readContent(world);
      return "again";
    });
    if (known === null) return read;
    yield;
  }
  const id = create(world, todo.attemptNo, known);
  yield;
  return record(job, todo, () => {
    recordCreated(world, id);
    return "again";
  });
}

function* awaitBoot(job: Work, todo: Todo): StepOf<Result> {
  const { world } = job;
  const state = inspect(world, todo.attemptNo);
  yield;
  if (state !== "running") {
    observe(world, todo.attemptNo, {
      kind: state === null ? "gone" : "exited",
      isInHand: true,
    });
    return "again";
  }
  return record(job, todo, () => {
    const wakeAt = todo.decision.kind === "awaitBoot" ? todo.decision.wakeAt.getTime() : world.now;
    release(world, wakeAt);
    return "released";
  });
}

/** `recoverStep`: a stop is repeated and never skipped, a creation is repeated and then given up. */
function recover({ world, claim: held }: Work): Result {
  if (!holds(world, held)) return "lost";
  const { row, now } = world;
  const { kind } = decideNow(world);
  const since = row.intent === "run" ? (currentAttempt(world)?.stageAt ?? now) : row.intentAt;
  const waited = now - since;
  const mayRepeat = kind === "snapshot" || kind === "create";
  const isRepeated =
    ["stop", "pause", "delete", "awaitBoot"].includes(kind) ||
    (mayRepeat && waited < CREATE_TIMEOUT_MS);
  const isOpen = row.phase === "STOPPING" || row.phase === "CREATING" || row.phase === "BOOTING";
  if (!isRepeated && isOpen) {
    failAttempt(world, "create_failed", true);
    return "again";
  }
  const isEndless = row.phase === "STOPPING" || row.phase === "DELETING";
  if (isEndless && row.deadlineAt !== null && row.deadlineAt <= now) {
    row.deadlineAt = now + STOP_ALERT_MS;
  }
  release(world, now + stepRetryDelayMs(waited));
  return "released";
}
