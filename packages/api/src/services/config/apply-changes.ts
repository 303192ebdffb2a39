import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { recordWrite, type WrittenChange } from "@molecule/db/changes/record-write";
import type { Transaction } from "@molecule/db/database";
import { checkFileCount, writeManagedFile } from "@molecule/db/files/managed-files";
import { recordIdenticalSave } from "@molecule/db/ledger/record-request";
import { applyPending } from "@molecule/db/lifecycle/apply-now";
import { putWorkspaceSecret, removeWorkspaceSecret } from "@molecule/db/secrets/secret-store";
import {
  type ConfigChange,
  type ConfigRow,
  lockConfig,
  type Policies,
  writeConfig,
  writePolicies,
} from "@molecule/db/workspaces/config-rows";
import { carryingAttempt } from "@molecule/domain/carrying-attempt";
import { DomainError } from "@molecule/domain/errors";
import { isDecidedByPlatform } from "@molecule/domain/platform-env";
import type { Actor, ApplyPolicy } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { type PluginPlan, type PluginWish, planPlugins } from "../plugins/plan-plugins.ts";
import { type DocumentChange, type EditedDocument, editDocument } from "./edit-document.ts";
import { type FileEdit, planFiles } from "./plan-files.ts";

/** A change of a workspace's desired state, in any mix of document, files and secrets. */
export interface DesiredChange {
  readonly workspaceId: string;
  readonly actor: Actor;
  /** The whole of one Save: due without quiet time. */
  readonly isBatch: boolean;
  /** Version the document's edit was based on; absent when it was based on none. */
  readonly baseVersion?: number | undefined;
  readonly document?: DocumentChange | undefined;
  /** Keys merged into the part of the document that we do not know. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  readonly policies?: Policies | undefined;
  /** How this, and what else is pending, is applied. Absent: as the workspace's policy says. */
  readonly apply?: ApplyPolicy | undefined;
  readonly files?: readonly FileEdit[] | undefined;
  /** Null removes. */
  readonly secrets?: readonly { readonly key: string; readonly value: string | null }[] | undefined;
  readonly plugins?: readonly PluginWish[] | undefined;
}

/** What a change did. */
export interface ChangeReceipt {
  readonly generation: number;
  readonly configVersion: number;
  /** False when everything was identical: nothing was written and nothing restarts. */
  readonly isChanged: boolean;
  readonly willRestart: boolean;
  /** The attempt that will carry it; null while none is planned, and when nothing is pending. */
  readonly attempt: number | null;
  /** Everything that changed, by kind and name. */
  readonly changes: readonly WrittenChange[];
}

/**
 * Applies a change in the caller's transaction: data, generation and what tells about it, all or
 * nothing. However much it contains it is one generation; what is identical is left alone.
 * @throws DomainError `not_found`, `removed`, `version_conflict`, `bad_request`, `payload_too_large`.
 */
export async function applyChanges(
  deps: Deps,
  tx: Transaction,
  change: DesiredChange,
): Promise<ChangeReceipt> {
  const before = await lockConfig(tx, change.workspaceId);
  const files = await planFiles(tx, before, change.files ?? []);
  const merged =
    change.extra === undefined ? {} : { extra: { ...before.config.extra, ...change.extra } };
  const edited = editDocument(before, [change.document ?? {}, merged, ...files.document]);
  requireVersion(before, edited, change.baseVersion);
  const plugins = await planPlugins(tx, before, change.plugins ?? []);
  const secrets = await writeSecrets(deps, tx, change);
  const changes: WrittenChange[] = [
    ...edited.names.map((name) => ({ kind: "setting" as const, name })),
    ...files.writes.map(({ path }) => ({ kind: "file" as const, name: path })),
    ...plugins.names.map((name) => ({ kind: "plugin" as const, name })),
    ...secrets.names.map((name) => ({ kind: "secret" as const, name })),
  ];
  const policies = differing(before, change.policies ?? {});
  const isPolicyChanged = Object.keys(policies).length > 0;
  const applyPolicy = policies.applyPolicy ?? before.applyPolicy;
  // How this save shall be applied has the last word.
  if (isPolicyChanged) await writePolicies(tx, before.id, policies);
  const receipt = await write(deps, tx, { change, before, changes });
  if (changes.length > 0) {
    await writeConfig(tx, before.id, changedColumns(edited, plugins));
    const writes = [...files.writes, ...plugins.writes];
    await writeFiles(tx, { change, generation: receipt.generation, writes });
  }
  const isApplied = changes.length === 0 && (await applyHeld(tx, change));
  const isStored = changes.length > 0 || isPolicyChanged || secrets.isStored;
  if (!isStored && !isApplied) {
    await recordIdenticalSave(tx, { workspaceId: before.id, actor: change.actor });
  }
  const pendingPolicy = policies.applyPolicy === undefined ? before.pendingPolicy : null;
  const policy = change.apply ?? pendingPolicy ?? applyPolicy;
  const isCarried = changes.length > 0 || isApplied;
  return {
    ...receipt,
    isChanged: isStored || isApplied,
    willRestart:
      isCarried && before.backend !== "external" && before.intent === "run" && policy !== "hold",
    attempt: isCarried ? carryingAttempt({ ...before, policy }) : null,
    changes,
  };
}

/** A save of nothing new that says how: it is about what is pending already. */
async function applyHeld(tx: Transaction, { workspaceId, apply }: DesiredChange): Promise<boolean> {
  if (apply === undefined) return false;
  return await applyPending(tx, { workspaceId, policy: apply });
}

/** Longest text of a value that a conflict shows. */
const MAX_SHOWN_CHARS = 65_536;

/** @throws DomainError `version_conflict` with both values of each setting that would be changed. */
function requireVersion(
  before: ConfigRow,
  edited: EditedDocument,
  baseVersion: number | undefined,
): void {
  if (baseVersion === undefined || baseVersion === before.configVersion) return;
  if (edited.names.length === 0) return;
  throw new DomainError(
    "version_conflict",
    "Somebody else changed this configuration in the meantime.",
    {
      next: "Look at both values and save the one you want.",
      details: {
        current_version: before.configVersion,
        values: edited.values.map(({ name, before: current, after: yours }) => ({
          name,
          current: shown(current),
          yours: shown(yours),
        })),
      },
    },
  );
}

function shown(value: unknown): unknown {
  return typeof value === "string" ? value.slice(0, MAX_SHOWN_CHARS) : (value ?? null);
}

/** The policies that are not so already. @throws DomainError `bad_request`. */
function differing(before: ConfigRow, wanted: Policies): Policies {
  const { applyPolicy, hibernationIdleMinutes } = wanted;
  const sleeps =
    hibernationIdleMinutes !== undefined &&
    hibernationIdleMinutes !== before.hibernationIdleMinutes;
  if (sleeps && hibernationIdleMinutes !== null && before.backend === "external") {
    throw new DomainError(
      "bad_request",
      "An agent outside the platform cannot be put to sleep by it.",
      { details: { field: "sleepAfterMinutes" } },
    );
  }
  return {
    ...(applyPolicy === undefined || applyPolicy === before.applyPolicy ? {} : { applyPolicy }),
    ...(sleeps ? { hibernationIdleMinutes } : {}),
  };
}

interface Decided {
  readonly change: DesiredChange;
  readonly before: ConfigRow;
  readonly changes: readonly WrittenChange[];
}

async function write(deps: Deps, tx: Transaction, { change, before, changes }: Decided) {
  if (changes.length === 0) {
    return { generation: before.desiredGen, configVersion: before.configVersion };
  }
  const isSetting = changes.some(({ kind }) => kind === "setting");
  return await recordWrite(tx, {
    workspaceId: before.id,
    actor: change.actor,
    stream: changes.every(({ kind }) => kind === "file") ? "files" : "settings",
    isBatch: change.isBatch,
    changes,
    // The version guards the document; a save of files alone cannot conflict over it.
    ...(change.baseVersion !== undefined && isSetting
      ? { expectedConfigVersion: change.baseVersion }
      : {}),
    settings: deps.platform.settle,
    policy: change.apply,
  });
}

interface WrittenSecrets {
  /** Keys whose value for the agent is another one now. */
  readonly names: readonly string[];
  /** Something was stored or removed, if only what changes nothing for the agent. SPEC: SE2. */
  readonly isStored: boolean;
}

async function writeSecrets(
  deps: Deps,
  tx: Transaction,
  { workspaceId, secrets = [] }: DesiredChange,
): Promise<WrittenSecrets> {
  const names: string[] = [];
  let isStored = false;
  for (const { key, value } of secrets) {
    const done =
      value === null
        ? await removeWorkspaceSecret(tx, deps.cipher, workspaceId, key)
        : await putWorkspaceSecret(tx, deps.cipher, workspaceId, { key, value });
    if (done === "identical" || done === "absent") continue;
    isStored = true;
    if (done !== "inherited" && !isDecidedByPlatform(key)) names.push(key);
  }
  return { names, isStored };
}

async function writeFiles(
  tx: Transaction,
  plan: {
    readonly change: DesiredChange;
    readonly generation: number;
    readonly writes: readonly { readonly path: string; readonly content: Uint8Array | null }[];
  },
): Promise<void> {
  const { workspaceId, actor } = plan.change;
  for (const { path, content } of plan.writes) {
    const { generation } = plan;
    await writeManagedFile(tx, { workspaceId, path, content, generation, actorName: actor.name });
  }
  if (plan.writes.length > 0) await checkFileCount(tx, workspaceId);
}

function changedColumns(
  edited: {
    readonly config: WorkspaceConfig;
    readonly columns: Omit<ConfigChange, "config">;
  },
  { names, installed }: PluginPlan,
): ConfigChange {
  const plugins = names.length === 0 ? {} : { plugins: [...installed] };
  return { config: { ...edited.config, ...plugins }, ...edited.columns };
}
