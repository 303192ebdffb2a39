import type { ApplyPolicy, FleetItemState, Health, Intent, Phase } from "./sets.ts";

/** One workspace of a redeployment. */
export interface FleetMember {
  readonly position: number;
  readonly state: FleetItemState;
  /** The generation that carries the wish; null before it was asked for. */
  readonly gen: number | null;
  readonly intent: Intent;
  readonly phase: Phase;
  readonly health: Health;
  readonly applyPolicy: ApplyPolicy;
  readonly appliedGen: number;
  /** The generation its latest attempt started with; null before its snapshot. */
  readonly snapGen: number | null;
}

/** A redeployment as it is now; members in the order of the walk. */
export interface RedeployFacts {
  readonly members: readonly FleetMember[];
  /** How many may be away at the same time, at least 1. */
  readonly batch: number;
  /** When the batch under way has to be back; null before the first. */
  readonly deadlineAt: Date | null;
}

/** What became of one member. */
export interface Settled {
  readonly position: number;
  readonly state: Extract<FleetItemState, "back" | "lost" | "skipped">;
  /** Why, as a person reads it; null for one that is back. */
  readonly note: string | null;
}

/** What to do with a redeployment now; `settled` is written down in any case. */
export interface RedeployDecision {
  readonly settled: readonly Settled[];
  readonly next:
    | { readonly kind: "wait" }
    /** Ask these for a restart, with a deadline for all of them. */
    | { readonly kind: "ask"; readonly positions: readonly number[] }
    | { readonly kind: "done" }
    /** A batch did not come back: nobody else is touched. */
    | { readonly kind: "halt" };
}

/** Answers what a redeployment does at `now`. SPEC: I15 to I19. */
export function decideRedeploy(facts: RedeployFacts, now: Date): RedeployDecision {
  const asked = facts.members.filter(({ state }) => state === "asked");
  const isLate = facts.deadlineAt !== null && facts.deadlineAt <= now;
  const settled = asked.flatMap((member) => settle(member, isLate));
  if (settled.length < asked.length) return { settled, next: { kind: "wait" } };
  const isLost = ({ state }: { readonly state: FleetItemState }) => state === "lost";
  if (settled.some(isLost) || facts.members.some(isLost)) {
    return { settled, next: { kind: "halt" } };
  }
  const left: Settled[] = [];
  const positions: number[] = [];
  for (const member of facts.members) {
    if (member.state !== "waiting" || positions.length === facts.batch) continue;
    const note = whyLeftOut(member);
    // Asked before the walk was interrupted, and there since.
    if (isBack(member)) left.push({ position: member.position, state: "back", note: null });
    else if (note === null) positions.push(member.position);
    else left.push({ position: member.position, state: "skipped", note });
  }
  const next = positions.length === 0 ? { kind: "done" as const } : askOf(positions);
  return { settled: [...settled, ...left], next };
}

function askOf(positions: readonly number[]) {
  return { kind: "ask" as const, positions };
}

/** Empty while it is on its way. */
function settle(member: FleetMember, isLate: boolean): readonly Settled[] {
  const { position, phase } = member;
  if (member.intent !== "run") return [{ position, state: "skipped", note: whyLeftOut(member) }];
  if (isBack(member)) return [{ position, state: "back", note: null }];
  if (phase === "FAILED" && (member.snapGen ?? 0) >= (member.gen ?? 0)) {
    return [{ position, state: "lost", note: "it failed to start" }];
  }
  return isLate ? [{ position, state: "lost", note: "it was not online in time" }] : [];
}

function isBack({ phase, health, gen, appliedGen }: FleetMember): boolean {
  return gen !== null && phase === "READY" && health === "ok" && appliedGen >= gen;
}

/** Null for a member whose turn it may be. One that failed in this walk is tried again. */
function whyLeftOut({ intent, phase, applyPolicy, gen }: FleetMember): string | null {
  if (intent === "deleted") return "it was removed";
  if (intent !== "run") return "it rests, and its next start is a new one anyway";
  if (phase === "FAILED" && gen === null) return "it had failed before its turn came";
  return applyPolicy === "hold" ? "its changes are held back" : null;
}
