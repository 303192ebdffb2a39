import type { SaveInput } from "@molecule/contracts/panel";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { applyChanges } from "./apply-changes.ts";

/** What the canvas's Save did. */
export interface SaveResult {
  readonly generation: number;
  readonly version: number;
  readonly changed: boolean;
  readonly willRestart: boolean;
}

/**
 * The canvas's one Save: document, files and secrets in one transaction, exactly one generation.
 * @throws DomainError as `applyChanges`.
 */
export async function saveConfig(deps: Deps, actor: Actor, input: SaveInput): Promise<SaveResult> {
  const { applyPolicy, sleepAfterMinutes, ...document } = input.config ?? {};
  if (input.secrets?.some(({ value }) => value === "") === true) {
    throw new DomainError("bad_request", "A key cannot have an empty value.", {
      next: "Enter its value, or remove the key.",
    });
  }
  const workspaceId = parseWorkspaceId(input.workspaceId);
  if (workspaceId === null) throw new DomainError("bad_request", "This is not a workspace id.");
  const receipt = await deps.db.transaction((tx) =>
    applyChanges(deps, tx, {
      workspaceId,
      actor,
      isBatch: true,
      baseVersion: input.baseVersion,
      document,
      policies: { applyPolicy, hibernationIdleMinutes: sleepAfterMinutes },
      files: input.files,
      secrets: input.secrets,
    }),
  );
  return {
    generation: receipt.generation,
    version: receipt.configVersion,
    changed: receipt.isChanged,
    willRestart: receipt.willRestart,
  };
}
