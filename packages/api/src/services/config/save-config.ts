import type { SaveInput, SaveResult } from "@molecule/contracts/panel";
import type { Transaction } from "@molecule/db/database";
import { runningTurns } from "@molecule/db/lifecycle/held-workspace";
import type { PluginPackage } from "@molecule/db/plugins/plugin-packages";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { readPackages, wishOf } from "../plugins/fetch-plugin.ts";
import { applyChanges } from "./apply-changes.ts";

/**
 * The canvas's one Save: document, files and secrets in one transaction, exactly one generation. One
 * that has nothing but `apply` decides anew how what is pending is applied.
 * @throws DomainError as `applyChanges`.
 */
export async function saveConfig(deps: Deps, actor: Actor, input: SaveInput): Promise<SaveResult> {
  const [result] = await saveMany(deps, actor, [input]);
  if (result === undefined) throw new Error("invariant: one save has one result");
  return result;
}

/**
 * The saves of several workspaces in one transaction: all of them or none, one generation and one
 * restart each. Results in the order of `inputs`. SPEC: CF3.
 * @throws DomainError as `applyChanges`, with the `workspace_id` it is about in its details; `bad_request`
 * for a workspace that is named twice.
 */
export async function saveMany(
  deps: Deps,
  actor: Actor,
  inputs: readonly SaveInput[],
): Promise<SaveResult[]> {
  const saves = inputs.map((input) => ({ input, workspaceId: checkedId(input) }));
  if (new Set(saves.map((save) => save.workspaceId)).size < saves.length) {
    throw new DomainError("bad_request", "A workspace is named twice.");
  }
  // Rows are locked in the order of their ids, as everybody does who locks several.
  const ordered = saves.toSorted((a, b) => (a.workspaceId < b.workspaceId ? -1 : 1));
  const packages = await readPackages(deps, inputs);
  const results = await deps.db.transaction(async (tx) => {
    const done = new Map<string, SaveResult>();
    for (const { input, workspaceId } of ordered) {
      try {
        done.set(workspaceId, await saveOne(deps, tx, { actor, input, workspaceId, packages }));
      } catch (error) {
        throw isDomainError(error) ? about(error, workspaceId) : error;
      }
    }
    return done;
  });
  return saves.flatMap(({ workspaceId }) => results.get(workspaceId) ?? []);
}

interface OneSave {
  readonly actor: Actor;
  readonly input: SaveInput;
  readonly workspaceId: string;
  readonly packages: ReadonlyMap<string, PluginPackage>;
}

async function saveOne(
  deps: Deps,
  tx: Transaction,
  { actor, input, workspaceId, packages }: OneSave,
): Promise<SaveResult> {
  const { applyPolicy, sleepAfterMinutes, ...document } = input.config ?? {};
  const receipt = await applyChanges(deps, tx, {
    workspaceId,
    actor,
    isBatch: true,
    baseVersion: input.baseVersion,
    document,
    policies: { applyPolicy, hibernationIdleMinutes: sleepAfterMinutes },
    files: input.files,
    secrets: input.secrets,
    plugins: input.plugins?.map((edit) => wishOf(edit, packages)),
    apply: input.apply,
  });
  return {
    workspaceId,
    generation: receipt.generation,
    version: receipt.configVersion,
    changed: receipt.isChanged,
    willRestart: receipt.willRestart,
    attempt: receipt.attempt,
    runningTasks: receipt.willRestart ? await runningTurns(tx, workspaceId) : 0,
  };
}

/** The same failure, with the workspace that it is about. */
function about(error: DomainError, workspaceId: string): DomainError {
  const { code, message, next, details } = error;
  return new DomainError(code, message, {
    ...(next === undefined ? {} : { next }),
    details: { ...details, workspace_id: workspaceId },
    cause: error,
  });
}

function checkedId(input: SaveInput): string {
  const keys = input.secrets?.map(({ key }) => key) ?? [];
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) throw new DomainError("bad_request", `${twice} is named twice.`);
  if (input.secrets?.some(({ value }) => value === "") === true) {
    throw new DomainError("bad_request", "A key cannot have an empty value.", {
      next: "Enter its value, or remove the key.",
    });
  }
  const workspaceId = parseWorkspaceId(input.workspaceId);
  if (workspaceId === null) throw new DomainError("bad_request", "This is not a workspace id.");
  return workspaceId;
}
