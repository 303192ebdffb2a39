import type { Backend } from "@molecule/domain/sets";
import { weighAbsence } from "@molecule/domain/sweep-hold";
import type { Transaction } from "../database.ts";
import { readIdentity, rememberIdentity } from "./backend-identity.ts";
import { askLeave, withdrawHold } from "./holds.ts";

/** A listing in which something is missing. */
export interface SuspectListing {
  readonly backend: Backend;
  /** The machine that answered in the same pass; null when it did not say. */
  readonly found: string | null;
  /** The listing has an instance that the database knows. */
  readonly listsKnown: boolean;
  /** How many instances the database expects there. */
  readonly expected: number;
}

/** Whether what is missing from the listing is gone; asks the owner about another machine. SPEC: G7. */
export async function judgeAbsence(tx: Transaction, listing: SuspectListing): Promise<boolean> {
  const { backend, found, listsKnown, expected } = listing;
  const remembered = await readIdentity(tx, backend);
  const verdict = weighAbsence({ remembered, found, listsKnown });
  if (verdict === "doubt") return false;
  if (verdict === "ask" && remembered !== null && found !== null) {
    // Where nothing is expected, there is nothing that could be missing, and nobody to ask about.
    if (expected > 0) {
      await askLeave(tx, backend, { kind: "identity", remembered, found, expected });
      return false;
    }
  }
  if (found !== null && found !== remembered) await rememberIdentity(tx, backend, found);
  await withdrawHold(tx, backend, "identity");
  return true;
}
