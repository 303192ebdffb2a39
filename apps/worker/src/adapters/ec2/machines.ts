import { BackendError, type InstanceKey } from "../../provisioning/compute-backend.ts";
import type { Ec2Calls, Machine } from "./ec2-calls.ts";
import { TAG_ATTEMPT, TAG_PLATFORM, TAG_WORKSPACE } from "./ec2-names.ts";
import type { MachineClock } from "./machine-clock.ts";

/** An absence is believed when two reads, so far apart, agree on it. Source: lifecycle A5. */
const ABSENT_AFTER_MS = 30_000;
const POLL_MS = 3_000;
const STATE_DEADLINE_MS = 10 * 60_000;

/** What asking for machines needs. */
export interface MachineSource {
  readonly calls: Ec2Calls;
  readonly platformId: string;
  readonly clock: MachineClock;
  /** What this process has made, by attempt: found before AWS lists it. */
  readonly made: Map<string, string>;
}

/** True for one that is not on its way out. */
export function isKept({ state }: Machine): boolean {
  return state !== "terminated" && state !== "shutting-down";
}

export function nameOf({ workspaceId, attemptNo }: InstanceKey): string {
  return `${workspaceId}/${attemptNo}`;
}

/** Machines of a workspace that AWS lists, terminated ones left out. */
export async function machinesOf(
  { calls, platformId }: MachineSource,
  workspaceId: string,
): Promise<readonly Machine[]> {
  const all = await calls.tagged({ [TAG_PLATFORM]: platformId, [TAG_WORKSPACE]: workspaceId });
  return all.filter((one) => one.state !== "terminated");
}

/** The attempt's machines that one read finds, those first that are kept. */
export async function lookFor(
  source: MachineSource,
  key: InstanceKey,
): Promise<readonly Machine[]> {
  const all = await machinesOf(source, key.workspaceId);
  const found = all.filter((one) => one.tags.get(TAG_ATTEMPT) === String(key.attemptNo));
  const madeId = source.made.get(nameOf(key));
  if (madeId !== undefined && !found.some((one) => one.id === madeId)) {
    const made = await source.calls.machine(madeId);
    const isStillIts = made?.tags.get(TAG_ATTEMPT) === String(key.attemptNo);
    if (made !== null && made.state !== "terminated" && isStillIts) found.push(made);
  }
  return [...found].sort((a, b) => Number(isKept(b)) - Number(isKept(a)));
}

/** The same, and none only when two reads 30 s apart find none. */
export async function findForSure(
  source: MachineSource,
  key: InstanceKey,
  signal?: AbortSignal,
): Promise<readonly Machine[]> {
  const found = await lookFor(source, key);
  if (found.length > 0) return found;
  await source.clock.wait(ABSENT_AFTER_MS, signal);
  const again = await lookFor(source, key);
  if (again.length === 0) source.made.delete(nameOf(key));
  return again;
}

/**
 * Waits until a machine is in a state. One that AWS does not find yet is waited for.
 * @throws BackendError when it ends instead, or does not get there in ten minutes.
 */
export async function untilState(
  { calls, clock }: MachineSource,
  id: string,
  wanted: "running" | "stopped",
  signal?: AbortSignal,
): Promise<Machine> {
  const deadline = clock.deadline(STATE_DEADLINE_MS);
  for (;;) {
    const found = await calls.machine(id);
    if (found?.state === wanted) return found;
    if (found !== null && !isKept(found)) throw endedInstead(found);
    if (clock.now() > deadline) throw tooLong(wanted);
    await clock.wait(POLL_MS, signal);
  }
}

/** Resolves when two reads 30 s apart find the machine terminated or do not find it. */
export async function untilGone(
  { calls, clock }: MachineSource,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.deadline(STATE_DEADLINE_MS);
  let goneSince: number | null = null;
  for (;;) {
    const found = await calls.machine(id);
    const isGone = found === null || found.state === "terminated";
    if (!isGone) goneSince = null;
    else if (goneSince === null) goneSince = clock.now();
    else if (clock.now() - goneSince >= ABSENT_AFTER_MS) return;
    if (clock.now() > deadline) throw tooLong("terminated");
    await clock.wait(isGone ? ABSENT_AFTER_MS : POLL_MS, signal);
  }
}

function endedInstead(machine: Machine): BackendError {
  return new BackendError(
    {
      code: "create_failed",
      sentence: `AWS ended the machine before it ran (${machine.endReason ?? "no reason given"}).`,
      next: "Molecule tries again by itself; the console of the machine may say more.",
    },
    { isRetryable: true },
  );
}

function tooLong(wanted: "running" | "stopped" | "terminated"): BackendError {
  return new BackendError(
    {
      code: wanted === "running" ? "create_failed" : "stop_failed",
      sentence: `AWS has not brought the machine to "${wanted}" within ten minutes.`,
      next: "Molecule tries again by itself.",
    },
    { isRetryable: true },
  );
}
