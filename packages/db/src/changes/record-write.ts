import { DomainError } from "@molecule/domain/errors";
import {
  type Actor,
  type ApplyPolicy,
  type ChangeKind,
  OPEN_PHASES,
  type SettleStream,
} from "@molecule/domain/sets";
import { dirtyAfterWrite, type SettleSettings, settleDueAt } from "@molecule/domain/settle";
import { eq } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent, hintWork } from "../events/append-event.ts";
import { recordRequests } from "../ledger/record-request.ts";
import { type LockedWorkspace, lockWorkspace } from "../lifecycle/lock-workspace.ts";
import { recordLifecycle } from "../lifecycle/record-lifecycle.ts";
import { changes, workspaces } from "../schema/workspaces.ts";

/** One thing a write changed. */
export interface WrittenChange {
  readonly kind: ChangeKind;
  /** The file's path, the setting's name or the secret's key; never a value. */
  readonly name: string;
}

/** A write of desired state. The data itself is written by the caller in the same transaction. */
export interface WriteInput {
  readonly workspaceId: string;
  readonly actor: Actor;
  /** Which quiet time the write waits for. */
  readonly stream: SettleStream;
  /** The write is complete in itself (one Save): it is due at once. */
  readonly isBatch: boolean;
  /** Not empty: an identical save is not a write and must not come here. */
  readonly changes: readonly WrittenChange[];
  /** The configuration version the edit was based on; absent when it was based on none. */
  readonly expectedConfigVersion?: number;
  readonly settings: SettleSettings;
  /** How everything that is pending then shall be applied. Absent: as it was. */
  readonly policy?: ApplyPolicy | undefined;
}

/** What a write became. */
export interface WriteReceipt {
  /** The generation that carries the write; rows of the same write store it. */
  readonly generation: number;
  readonly configVersion: number;
}

/**
 * Makes a write of desired state count: one generation more, the settle timer armed, one `changes`
 * row per change, one activity row of type `change`, and the event that tells the canvas. Locks the
 * workspace row, so call it before writing the data; whoever writes to several workspaces in one
 * transaction calls it in the order of their ids. An external workspace has no restarts: its
 * generation stays. SPEC: W5 to W9.
 * @throws DomainError `not_found`, `removed`, `version_conflict` (details: `current_version`).
 */
export async function recordWrite(tx: Transaction, input: WriteInput): Promise<WriteReceipt> {
  if (input.changes.length === 0) throw new Error("invariant: a write changes something");
  const locked = await lockWorkspace(tx, input.workspaceId);
  const { row } = locked;
  if (
    input.expectedConfigVersion !== undefined &&
    input.expectedConfigVersion !== row.configVersion
  ) {
    throw new DomainError(
      "version_conflict",
      "Somebody else changed this configuration in the meantime.",
      {
        next: "Look at the newer version and save again.",
        details: { current_version: row.configVersion },
      },
    );
  }
  const isSetting = input.changes.some(({ kind }) => kind === "setting" || kind === "plugin");
  const isExternal = row.backend === "external";
  const generation = isExternal ? row.desiredGen : row.desiredGen + 1;
  const configVersion = row.configVersion + (isSetting ? 1 : 0);
  await ormOf(tx)
    .update(workspaces)
    .set({
      configVersion,
      desiredGen: generation,
      ...(isExternal ? {} : armed(locked, input)),
    })
    .where(eq(workspaces.id, row.id));
  await ormOf(tx)
    .insert(changes)
    .values(
      input.changes.map((change) => ({
        workspaceId: row.id,
        gen: generation,
        kind: change.kind,
        name: change.name,
        actorKind: input.actor.kind,
        actorId: input.actor.id ?? null,
        actorName: input.actor.name,
        at: locked.now,
      })),
    );
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: input.actor,
    type: "change",
    sentence: tellChanges(input.changes, input.actor.name),
  });
  await appendEvent(tx, writeEvent(locked, input.changes, generation));
  if (isExternal) await recordSkipped(tx, input);
  else await hintWork(tx, row.id);
  return { generation, configVersion };
}

/** The data is saved; what runs elsewhere is not ours to restart. */
async function recordSkipped(tx: Transaction, { workspaceId, actor }: WriteInput): Promise<void> {
  const sentence = "Saved. This agent runs outside the platform, so nothing here restarts.";
  await recordRequests(tx, [{ workspaceId, actor, source: "write", outcome: "skipped", sentence }]);
}

/** The dirty state and the timer after the write. */
function armed({ row, now }: LockedWorkspace, input: WriteInput) {
  const dirty = dirtyAfterWrite(
    {
      firstDirtyAt: row.firstDirtyAt,
      lastDirtyAt: row.lastDirtyAt,
      stream: row.dirtyStream,
      streamRestarts: row.streamRestarts,
      isBatch: row.dirtyIsBatch,
    },
    { stream: input.stream, isBatch: input.isBatch, at: now },
    input.settings,
  );
  const due = settleDueAt(dirty, input.settings);
  const waits = row.phase === "READY" || row.phase === "FAILED";
  return {
    firstDirtyAt: dirty.firstDirtyAt,
    lastDirtyAt: dirty.lastDirtyAt,
    dirtyStream: dirty.stream,
    dirtyIsBatch: dirty.isBatch,
    streamRestarts: dirty.streamRestarts,
    // Before its snapshot an attempt takes everything along, so that nothing is left to be applied.
    ...(input.policy === undefined || row.phase === "STOPPING"
      ? {}
      : { pendingPolicy: input.policy }),
    ...(waits && due !== null ? { nextActionAt: earlier(row.nextActionAt, due) } : {}),
    // What was made at rest shows which keys it lacks, so it is looked at when it gets one. SPEC: OR9.
    ...(isMadeAtRest(row) ? { nextActionAt: now } : {}),
  };
}

function isMadeAtRest({ phase, intent, currentAttempt }: LockedWorkspace["row"]): boolean {
  return phase === "PAUSED" && intent === "paused" && currentAttempt === 0;
}

function earlier(a: Date | null, b: Date): Date {
  return a !== null && a.getTime() < b.getTime() ? a : b;
}

function writeEvent(
  { row }: LockedWorkspace,
  written: readonly WrittenChange[],
  generation: number,
) {
  const [first] = written;
  const isOpen = OPEN_PHASES.some((phase) => phase === row.phase);
  const payload = {
    kind: first?.kind,
    ...(first?.kind === "file" && written.length === 1 ? { path: first.name } : {}),
  };
  if (!isOpen) {
    const counted = { ...payload, count: written.length, generation };
    return { event: "WORKSPACE_PENDING_CHANGE" as const, subjectId: row.id, payload: counted };
  }
  return {
    event: "WORKSPACE_RESTARTING_MID_WRITE" as const,
    subjectId: row.id,
    payload: {
      ...payload,
      attempt: row.currentAttempt,
      will_apply_in: row.phase === "STOPPING" ? "this" : "next",
    },
  };
}

const NOUNS: Record<ChangeKind, string> = {
  file: "File",
  setting: "Setting",
  secret: "Secret",
  plugin: "Plugin",
  template: "Template",
  image: "Image",
  redeploy: "Redeployment",
};

function tellChanges(written: readonly WrittenChange[], actorName: string): string {
  const [only] = written;
  // No thing was changed here: somebody wants what there is to start anew.
  if (only?.kind === "redeploy") return `Redeployment asked for by ${actorName}`;
  if (only?.kind === "image") return `A newer image of ${only.name}, asked for by ${actorName}`;
  return `${nameChanges(written)} changed by ${actorName}`;
}

function nameChanges(written: readonly WrittenChange[]): string {
  const shown = written.slice(0, 3).map((change) => `${NOUNS[change.kind]} ${change.name}`);
  const rest = written.length - shown.length;
  return rest === 0 ? shown.join(", ") : `${shown.join(", ")} and ${rest} more`;
}
