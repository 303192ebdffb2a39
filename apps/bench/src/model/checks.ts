import { WORKSPACE_STATUSES } from "@molecule/domain/sets";
import { statusOf } from "@molecule/domain/status-of";
import { currentAttempt, Violation, type World } from "./world.ts";

const STATUSES = new Set<string>(WORKSPACE_STATUSES);

function hold(isKept: boolean, promise: string, detail: string): void {
  if (!isKept) throw new Violation(promise, detail);
}

/** What holds after every step, whoever is in the middle of what. */
export function checkAlways(world: World): void {
  const { row } = world;
  const { phase } = row;
  const isOpen = phase === "STOPPING" || phase === "CREATING" || phase === "BOOTING";
  if (isOpen || phase === "DELETING") {
    hold(row.deadlineAt !== null, "no open phase without a deadline", phase);
    hold(row.nextActionAt !== null, "no open phase without a timer", phase);
  }
  hold(row.appliedGen <= row.desiredGen, "applied within desired", `${row.appliedGen}`);
  hold(row.appliedForce <= row.forceSeq, "applied clicks within clicks", `${row.appliedForce}`);
  let open = 0;
  for (const attempt of world.attempts) if (attempt.outcome === null) open += 1;
  hold(open <= 1, "one open attempt", `${open} are open`);
  const isWaiting = row.desiredGen > row.appliedGen && row.applyPolicy !== "hold";
  if (phase === "READY" && isWaiting && row.intent === "run") {
    hold(row.nextActionAt !== null, "no dirty workspace without a timer", "READY");
  }
  const isTokenNeeded = phase === "CREATING" || phase === "BOOTING" || phase === "READY";
  if (isTokenNeeded && row.intent !== "deleted") {
    const isRevoked = world.tokens.get(row.currentAttempt);
    hold(isRevoked === false, "a fresh token is never revoked", `attempt ${row.currentAttempt}`);
  }
  const status = statusOf({
    intent: row.intent,
    phase,
    health: row.isSuspected ? "suspected_down" : "ok",
    backend: "process",
    isBeating: true,
  });
  hold(STATUSES.has(status), "every state has a status", phase);
}

/** What holds when nobody does anything any more. */
export function checkAtRest(world: World): void {
  const { row } = world;
  const running = [...world.instances.values()].filter((one) => one.state === "running");
  if (row.intent !== "run") {
    const phase = row.intent === "deleted" ? "DELETED" : "PAUSED";
    hold(row.phase === phase, "comes to rest", `${row.intent} rests in ${row.phase}`);
    hold(
      world.instances.size === 0,
      "nothing leaks",
      `${world.instances.size} while ${row.intent}`,
    );
    return;
  }
  const attempt = currentAttempt(world);
  if (row.phase === "FAILED") {
    const answered = Math.max(attempt?.snapGen ?? 0, row.appliedGen, world.stoppedGen ?? 0);
    hold(row.desiredGen <= answered, "no write is forgotten", "FAILED and dirty");
  } else {
    hold(row.phase === "READY", "comes to rest", row.phase);
    checkRunning(world);
  }
  hold(
    [...world.instances.values()].every((one) => one.attemptNo === row.currentAttempt),
    "nothing leaks",
    `${world.instances.size} instances, ${running.length} running`,
  );
  hold(
    (attempt?.closedAtStep ?? 0) >= world.lastClickStep,
    "a click acts",
    `clicked at step ${world.lastClickStep}, taken in until ${attempt?.closedAtStep}`,
  );
  hold(
    (attempt?.closedAtStep ?? 0) >= world.lastResumeStep,
    "a resume acts",
    `resumed at step ${world.lastResumeStep}, taken in until ${attempt?.closedAtStep}`,
  );
  hold(
    row.forceSeq <= Math.max(attempt?.snapForce ?? 0, row.appliedForce),
    "a click acts",
    "waits",
  );
}

function checkRunning(world: World): void {
  const { row } = world;
  const current = [...world.instances.values()].filter(
    (one) => one.attemptNo === row.currentAttempt && one.state === "running",
  );
  hold(current.length === 1, "one current instance", `${current.length} run`);
  const isHeld = row.applyPolicy === "hold";
  if (!isHeld) hold(row.appliedGen === row.desiredGen, "no lost update", "applied < desired");
  const [instance] = current;
  const isWhole = isHeld
    ? (instance?.content.complete ?? 0) >= row.appliedGen
    : instance?.content.writes === world.writes;
  hold(isWhole, "no lost update", `runs ${instance?.content.writes} of ${world.writes} writes`);
}

/** A6: attempts are bounded by what was done to the workspace, reason by reason. */
export function checkBounded(world: World): void {
  const { causes } = world;
  const count = (...reasons: readonly string[]) =>
    world.attempts.filter((one) => reasons.includes(one.reason)).length;
  const most: readonly (readonly [string, number, number])[] = [
    ["create", count("create"), 1],
    ["click", count("user"), causes.clicks],
    ["resume", count("resume", "wake"), causes.resumes],
    ["crash", count("crash", "unhealthy"), causes.downs],
    ["retry", count("boot_retry"), causes.failures],
    ["platform", count("platform_upgrade"), causes.platformStops],
    [
      "write",
      count("files", "settings", "secret"),
      2 * causes.streams + causes.longStreams + causes.batches,
    ],
  ];
  for (const [name, had, may] of most) {
    hold(had <= may, "attempts are bounded", `${had} by ${name}, ${may} at most`);
  }
}
