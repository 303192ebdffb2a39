import { delegationIdOf } from "@molecule/db/activity/stitch-delegation";
import { readCallsBehind } from "@molecule/db/queue/a2a-queue";
import type { Target } from "@molecule/db/registry/targets";
import { readNames } from "@molecule/db/workspaces/names";
import { type Chain, cycleSentence, judgeChain } from "@molecule/domain/delegation-chain";
import { MAX_CALLS_BEHIND } from "@molecule/domain/delivery";
import { DomainError } from "@molecule/domain/errors";
import type { Envelope } from "../../a2a/envelope.ts";
import type { Deps } from "../../deps.ts";
import { answeredTaskOf } from "./answer-task.ts";
import type { Caller } from "./deliver-and-answer.ts";

/** Who led to a message. */
export interface LedTo {
  readonly chain: Chain;
  /** The target waits, directly or through others, for what the sender works on. */
  readonly isAwaited: boolean;
}

/**
 * Who led to a message, from what its sender works on. Ends agents that keep asking each other: every
 * turn of such a ring costs money. @throws DomainError `conflict`. SPEC: DG1 to DG4.
 */
export async function requireChain(
  deps: Deps,
  caller: Caller,
  { target, envelope }: { readonly target: Target; readonly envelope: Envelope },
): Promise<LedTo> {
  if (caller.kind === "person") return { chain: [], isAwaited: false };
  const { count, working, waiting } = await readCallsBehind(deps.db, caller.id);
  const isTask =
    caller.id !== target.id &&
    delegationIdOf(envelope.body) !== null &&
    answeredTaskOf(envelope) === null;
  const verdict = judgeChain({ callerId: caller.id, targetId: target.id, working, isTask });
  if (verdict.kind === "cycle") throw await circle(deps, verdict.path);
  if (verdict.kind === "allowed" && count < MAX_CALLS_BEHIND) {
    return { chain: verdict.chain, isAwaited: waiting.includes(target.id) };
  }
  throw new DomainError(
    "conflict",
    `This would be the ${MAX_CALLS_BEHIND + 1}th agent asked in a row, so it is not asked.`,
    { next: "Answer with what is known by now." },
  );
}

async function circle(deps: Deps, path: readonly string[]): Promise<DomainError> {
  const names = await readNames(deps.db, path);
  const sentence = cycleSentence(path.map((id) => names.get(id) ?? "an agent that was removed"));
  return new DomainError("conflict", sentence, {
    next: "Answer the one that asked instead of giving the task back.",
    details: { path },
  });
}
