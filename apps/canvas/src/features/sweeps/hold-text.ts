import type { SweepHoldView } from "@molecule/contracts/sweeps";

/** A sweep's question as the page asks it. */
export interface HoldText {
  /** One line of a list. */
  readonly line: string;
  readonly title: string;
  readonly confirm: string;
  readonly dismiss: string;
  /** Confirming takes something away for good. */
  readonly isDanger: boolean;
}

/** The words around a question; what it is about, and what the answers do, come with it. */
export function holdText(hold: Pick<SweepHoldView, "kind" | "removals" | "listed" | "backend">) {
  return hold.kind === "removals" ? removalText(hold) : identityText(hold);
}

function removalText({ removals, listed }: Pick<SweepHoldView, "removals" | "listed">): HoldText {
  const count = removals.length === 1 ? "1 instance" : `${removals.length} instances`;
  const ofAll = listed === null ? count : `${removals.length} of ${listed} instances`;
  return {
    line: `The sweep wants to remove ${ofAll}`,
    title: `Remove ${ofAll}?`,
    confirm: `Remove ${count}`,
    dismiss: "Leave them alone",
    isDanger: true,
  };
}

function identityText({ backend }: Pick<SweepHoldView, "backend">): HoldText {
  return {
    line: `Another machine answers for “${backend}”`,
    title: "Is this the right machine?",
    confirm: "Use this machine",
    dismiss: "Wait for the other one",
    isDanger: false,
  };
}
