import type { Database } from "@molecule/db/database";
import { judgeAbsence } from "@molecule/db/sweep/judge-absence";
import { BackendError, type ComputeBackend } from "../provisioning/compute-backend.ts";

/** What a pass knows of the listing in which something is missing. */
export interface Absence {
  /** The listing has an instance that the database knows. */
  readonly listsKnown: boolean;
  /** How many instances the database expects there. */
  readonly expected: number;
}

/**
 * Whether what a listing misses is gone: asks the backend in the same pass which machine it listed.
 * One that does not say is not believed; about another machine than before the owner is asked. SPEC: G7.
 */
export async function believesAbsence(
  db: Database,
  backend: ComputeBackend,
  absence: Absence,
): Promise<boolean> {
  const found = await backend.identity().catch(() => null);
  const listing = { backend: backend.kind, found, ...absence };
  return await db.transaction((tx) => judgeAbsence(tx, listing));
}

const WHAT_ANSWERS: Readonly<Record<string, string>> = {
  docker: "Docker engine",
  ec2: "AWS account",
};

/** What the card says while nothing is concluded from an empty listing. */
export function otherMachine(backend: ComputeBackend) {
  const what = WHAT_ANSWERS[backend.kind] ?? "agents' folder";
  return {
    code: "engine_unavailable" as const,
    sentence: `The ${what} that answers is not the one this agent ran on.`,
    next: "Bring the old one back, or confirm the new one; what is saved is kept either way.",
  };
}

/** Thrown where a stop would have to believe an absence that is not believed; tried again. */
export function otherMachineError(backend: ComputeBackend): BackendError {
  return new BackendError(otherMachine(backend), { isRetryable: true });
}
