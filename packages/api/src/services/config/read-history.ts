import type {
  GenerationDetail,
  GenerationHistory,
  GenerationView,
} from "@molecule/contracts/generations";
import {
  type ListedGeneration,
  listGenerations,
  listSecretVersions,
  readGeneration,
} from "@molecule/db/generations/generations";
import { readConfig } from "@molecule/db/workspaces/config-rows";
import type { SecretState } from "@molecule/domain/config-diff";
import { DomainError } from "@molecule/domain/errors";
import { listChanges } from "@molecule/domain/explain";
import type { Deps } from "../../deps.ts";
import { changesBetweenGenerations, planRollBack } from "./compare-generations.ts";

/** Where the saved and the running generation are. */
interface Marks {
  readonly desiredGen: number;
  readonly appliedGen: number;
}

/** What was saved, newest first. @throws DomainError `not_found`, `removed`. */
export async function readHistory(
  deps: Deps,
  {
    workspaceId,
    before,
    limit,
  }: { workspaceId: string; before?: number | undefined; limit: number },
): Promise<GenerationHistory> {
  const marks = await readConfig(deps.db, workspaceId);
  const rows = await listGenerations(deps.db, workspaceId, { before, limit: limit + 1 });
  return {
    rows: rows.slice(0, limit).map((row) => viewOf(row, marks)),
    hasMore: rows.length > limit,
  };
}

/**
 * One generation: what it changed, and what a roll back to it would change now.
 * @throws DomainError `not_found`, `removed`.
 */
export async function readGenerationDetail(
  deps: Deps,
  { workspaceId, gen }: { readonly workspaceId: string; readonly gen: number },
): Promise<GenerationDetail> {
  const marks = await readConfig(deps.db, workspaceId);
  const page = { before: gen + 1, limit: 2 };
  const [listed, previous] = await listGenerations(deps.db, workspaceId, page);
  const saved = await readGeneration(deps.db, workspaceId, marks.desiredGen);
  if (listed === undefined || listed.generation.gen !== gen || saved === null) {
    throw notKept(gen);
  }
  const { generation } = listed;
  const pair = previous?.generation.gen === gen - 1 ? previous.generation : null;
  const isKept = await keptSecrets(deps, workspaceId);
  return {
    generation: viewOf(listed, marks),
    changes:
      pair === null
        ? null
        : await changesBetweenGenerations(deps, workspaceId, { before: pair, after: generation }),
    savedGen: saved.gen,
    rollBack: await planRollBack(deps, workspaceId, { saved, target: generation, isKept }),
  };
}

/** Whether the value that a secret had is kept, and can be read. */
async function keptSecrets(
  deps: Deps,
  workspaceId: string,
): Promise<(secret: SecretState) => boolean> {
  const versions = await listSecretVersions(deps.db, workspaceId);
  const readable = versions.filter(
    (version) => deps.cipher.decrypt({ scope: workspaceId, key: version.key }, version) !== null,
  );
  const known = new Set(readable.map(({ key, version }) => `${key} ${version}`));
  return ({ key, version }) => known.has(`${key} ${version}`);
}

export function notKept(gen: number): DomainError {
  return new DomainError("not_found", `Generation ${gen} of this agent is no longer kept.`, {
    next: "The last 100 generations are.",
  });
}

function viewOf({ generation, merged }: ListedGeneration, marks: Marks): GenerationView {
  const { gen, at, actorKind, actorName, rolledBackTo } = generation;
  const changed =
    merged.length > 0 ? listChanges(merged) : gen === 1 ? "created" : "as it was then";
  return {
    gen,
    at: at.toISOString(),
    actor: { kind: actorKind, name: actorName },
    summary: changed,
    isRunning: gen === marks.appliedGen,
    isSaved: gen === marks.desiredGen,
    rolledBackTo,
  };
}
