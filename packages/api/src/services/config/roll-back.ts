import type { RollBackInput } from "@molecule/contracts/generations";
import type { SaveResult } from "@molecule/contracts/panel";
import { recordWrite, type WrittenChange } from "@molecule/db/changes/record-write";
import type { Transaction } from "@molecule/db/database";
import { writeManagedFile } from "@molecule/db/files/managed-files";
import {
  type Generation,
  listSecretVersions,
  markRolledBack,
  readContents,
  readGeneration,
} from "@molecule/db/generations/generations";
import { runningTurns } from "@molecule/db/lifecycle/held-workspace";
import { recordLifecycle } from "@molecule/db/lifecycle/record-lifecycle";
import { putWorkspaceSecret, removeWorkspaceSecret } from "@molecule/db/secrets/secret-store";
import { lockConfig, writeConfig } from "@molecule/db/workspaces/config-rows";
import { carryingAttempt } from "@molecule/domain/carrying-attempt";
import { diffStates, planSecretReturns, type StateDiff } from "@molecule/domain/config-diff";
import { DomainError } from "@molecule/domain/errors";
import type { Actor } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { isOfPlugin } from "../plugins/plan-plugins.ts";
import { stateOf } from "./compare-generations.ts";
import { pluginOfSetting } from "./edit-document.ts";
import { notKept } from "./read-history.ts";

/** Everything of one roll back. */
interface Return {
  readonly input: RollBackInput;
  readonly actor: Actor;
  readonly target: Generation;
  readonly diff: StateDiff;
}

/**
 * Makes the desired state that of an earlier generation again, as one new generation and one restart:
 * settings, files and those of the workspace's own secrets whose earlier value is kept. Its name, its
 * place and the organisation's secrets stay. SPEC: CF6, CF7.
 * @throws DomainError `version_conflict` when something was saved since `savedGen`; `not_found` when the
 * generation is no longer kept; `removed`; `not_available_here` for an agent outside the platform.
 */
export async function rollBack(
  deps: Deps,
  actor: Actor,
  input: RollBackInput,
): Promise<SaveResult> {
  return await deps.db.transaction(async (tx) => {
    const before = await lockConfig(tx, input.workspaceId);
    if (before.backend === "external") {
      throw new DomainError(
        "not_available_here",
        "Of an agent outside the platform no generations are kept.",
      );
    }
    requireSaved(before.desiredGen, input);
    const saved = await readGeneration(tx, before.id, before.desiredGen);
    const target = await readGeneration(tx, before.id, input.gen);
    if (saved === null || target === null) throw notKept(input.gen);
    const all = { input, actor, target, diff: diffStates(stateOf(saved), stateOf(target)) };
    const secrets = await returnSecrets(deps, tx, { saved, target });
    const changes: WrittenChange[] = [
      ...all.diff.settings.map(({ name }) => changeOf(name)),
      ...all.diff.files
        .filter(({ path }) => ![saved, target].some(({ config }) => isOfPlugin(config, path)))
        .map(({ path }) => ({ kind: "file" as const, name: path })),
      ...secrets.map((name) => ({ kind: "secret" as const, name })),
    ];
    const policy = input.apply ?? before.pendingPolicy ?? before.applyPolicy;
    if (changes.length === 0) {
      const { desiredGen: generation, configVersion: version } = before;
      return { ...NOTHING, workspaceId: before.id, generation, version };
    }
    const { generation, configVersion } = await recordWrite(tx, {
      workspaceId: before.id,
      actor,
      stream: "settings",
      isBatch: true,
      changes,
      settings: deps.platform.settle,
      policy: input.apply,
    });
    await returnDocument(tx, all, generation);
    const attempt = carryingAttempt({ ...before, policy });
    return {
      workspaceId: before.id,
      generation,
      version: configVersion,
      changed: true,
      willRestart: attempt !== null,
      attempt,
      runningTasks: attempt === null ? 0 : await runningTurns(tx, before.id),
    };
  });
}

const NOTHING = { changed: false, willRestart: false, attempt: null, runningTasks: 0 } as const;

/** A setting that differs, as what was changed. */
function changeOf(setting: string): WrittenChange {
  const plugin = pluginOfSetting(setting);
  return plugin === null ? { kind: "setting", name: setting } : { kind: "plugin", name: plugin };
}

function requireSaved(desiredGen: number, input: RollBackInput): void {
  if (input.savedGen === desiredGen) return;
  throw new DomainError("version_conflict", "Something was saved since you looked.", {
    next: "Look again at what would change, then roll back.",
    details: { current_generation: desiredGen },
  });
}

/** Gives back what is kept and removes what was not there; answers the keys that really changed. */
async function returnSecrets(
  deps: Deps,
  tx: Transaction,
  { saved, target }: { readonly saved: Generation; readonly target: Generation },
): Promise<string[]> {
  const workspaceId = target.workspaceId;
  const values = new Map(
    (await listSecretVersions(tx, workspaceId)).map((stored) => [
      `${stored.key} ${stored.version}`,
      deps.cipher.decrypt({ scope: workspaceId, key: stored.key }, stored),
    ]),
  );
  const keptValue = (key: string, version: number) => values.get(`${key} ${version}`) ?? null;
  const plan = planSecretReturns(
    saved.secrets,
    target.secrets,
    ({ key, version }) => keptValue(key, version) !== null,
  );
  const changed: string[] = [];
  for (const { key, outcome } of plan) {
    if (outcome === "removed") {
      const done = await removeWorkspaceSecret(tx, deps.cipher, workspaceId, key);
      if (done !== "absent") changed.push(key);
    }
    if (outcome !== "restored") continue;
    const wanted = target.secrets.find((secret) => secret.key === key);
    const value = wanted === undefined ? null : keptValue(key, wanted.version);
    if (value === null) throw new Error("invariant: a value that is given back is kept");
    const written = await putWorkspaceSecret(tx, deps.cipher, workspaceId, { key, value });
    if (written !== "identical") changed.push(key);
  }
  return changed;
}

/** Settings and files, and what tells about it. */
async function returnDocument(tx: Transaction, all: Return, generation: number): Promise<void> {
  const { input, actor, target, diff } = all;
  const { workspaceId } = input;
  const { config, role, tier, runtime, template } = target;
  if (diff.settings.length > 0) {
    await writeConfig(tx, workspaceId, { config, role, tier, runtime, template });
  }
  const wanted = diff.files.flatMap(({ path }) => target.files[path] ?? []);
  const contents = await readContents(tx, workspaceId, wanted);
  for (const { path } of diff.files) {
    const hash = target.files[path];
    const content = hash === undefined ? null : contents.get(hash);
    if (content === undefined) throw new Error(`invariant: what ${path} held is kept`);
    await writeManagedFile(tx, { workspaceId, path, content, generation, actorName: actor.name });
  }
  await markRolledBack(tx, workspaceId, { gen: generation, to: input.gen });
  await recordLifecycle(tx, {
    workspaceId,
    actor,
    type: "change",
    sentence: `Rolled back to generation ${input.gen} by ${actor.name}`,
  });
}
