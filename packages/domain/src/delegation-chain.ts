import { MAX_CALLS_BEHIND } from "./delivery.ts";

/**
 * The agents that led to a message: each asked the next, the last one sent it. Empty when a person
 * asked. The platform keeps it with the message; no agent says it.
 */
export type Chain = readonly string[];

/** A message of an agent, before it is taken. */
export interface ChainFacts {
  readonly callerId: string;
  readonly targetId: string;
  /** Chains of the messages the sender works on now. */
  readonly working: readonly Chain[];
  /** Somebody waits for its end; other messages may go back to where they came from. */
  readonly isTask: boolean;
}

/** What becomes of it. */
export type ChainVerdict =
  | { readonly kind: "allowed"; readonly chain: Chain }
  /** Who would ask whom, with the same agent at both ends. */
  | { readonly kind: "cycle"; readonly path: readonly string[] }
  | { readonly kind: "too_long" };

/** SPEC: DG1 to DG4. */
export function judgeChain(facts: ChainFacts): ChainVerdict {
  const chain = certainChain(facts.working, facts.callerId);
  const at = chain.lastIndexOf(facts.targetId);
  if (facts.isTask && at >= 0) {
    return { kind: "cycle", path: [...chain.slice(at), facts.targetId] };
  }
  return chain.length > MAX_CALLS_BEHIND ? { kind: "too_long" } : { kind: "allowed", chain };
}

/**
 * Which of several turns a message belongs to is known to the agent alone, so what all of them end with
 * is what counts: nobody is refused for what another turn of theirs does.
 */
function certainChain(working: readonly Chain[], callerId: string): Chain {
  const [first, ...others] = working;
  if (first === undefined) return [callerId];
  let length = first.length;
  for (const other of others) {
    let same = 0;
    while (same < Math.min(length, other.length) && first.at(-1 - same) === other.at(-1 - same)) {
      same += 1;
    }
    length = same;
  }
  return [...first.slice(first.length - length), callerId];
}

/** The sentence of a refused cycle, with the names of the agents in its order. */
export function cycleSentence(names: readonly string[]): string {
  return `This would go round in a circle: ${names.join(" → ")}.`;
}
