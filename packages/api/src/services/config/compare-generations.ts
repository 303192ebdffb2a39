import type { RollBackPlan, StateChanges } from "@molecule/contracts/generations";
import { type Generation, readContents } from "@molecule/db/generations/generations";
import {
  type DesiredState,
  diffStates,
  planSecretReturns,
  type SecretState,
  type StateDiff,
} from "@molecule/domain/config-diff";
import type { Deps } from "../../deps.ts";
import { isOfPlugin } from "../plugins/plan-plugins.ts";
import { settingsOf } from "./edit-document.ts";

/** Longest text that is shown, in characters, and most files whose texts are. */
const MAX_SHOWN_CHARS = 65_536;
const MAX_SHOWN_FILES = 20;

/** A generation as far as two of them are compared. */
export function stateOf(generation: Generation): DesiredState {
  const { config, role, tier, runtime, template, files, secrets } = generation;
  return { settings: settingsOf(config, { role, tier, runtime, template }), files, secrets };
}

/** What lies between two generations, with the texts of both sides; of secrets the names. SPEC: CF5. */
export async function changesBetweenGenerations(
  deps: Deps,
  workspaceId: string,
  { before, after }: { readonly before: Generation; readonly after: Generation },
): Promise<StateChanges> {
  const whole = diffStates(stateOf(before), stateOf(after));
  // What a plugin is made of is told by its own line.
  const own = whole.files.filter(
    ({ path }) => !isOfPlugin(before.config, path) && !isOfPlugin(after.config, path),
  );
  const diff = { ...whole, files: own };
  const files = await filesOf(deps, workspaceId, { diff, before, after });
  return { settings: valuesOf(diff), files, secrets: diff.secrets.map((one) => ({ ...one })) };
}

/** What going back from `saved` to `target` changes; secrets by what becomes of them. SPEC: CF7. */
export async function planRollBack(
  deps: Deps,
  workspaceId: string,
  range: {
    readonly saved: Generation;
    readonly target: Generation;
    readonly isKept: (secret: SecretState) => boolean;
  },
): Promise<RollBackPlan> {
  const { saved, target, isKept } = range;
  const pair = { before: saved, after: target };
  const { settings, files } = await changesBetweenGenerations(deps, workspaceId, pair);
  const secrets = planSecretReturns(saved.secrets, target.secrets, isKept);
  const isTouched = secrets.some(({ outcome }) => outcome === "restored" || outcome === "removed");
  return {
    settings,
    files,
    secrets: secrets.map((one) => ({ ...one })),
    isEmpty: settings.length + files.length === 0 && !isTouched,
  };
}

function valuesOf(diff: StateDiff): StateChanges["settings"] {
  return diff.settings.map(({ name, before, after }) => ({
    name,
    before: textOf(before),
    after: textOf(after),
  }));
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return text.slice(0, MAX_SHOWN_CHARS);
}

async function filesOf(
  deps: Deps,
  workspaceId: string,
  pair: { readonly diff: StateDiff; readonly before: Generation; readonly after: Generation },
): Promise<StateChanges["files"]> {
  const { diff, before, after } = pair;
  const shown = diff.files.slice(0, MAX_SHOWN_FILES).map(({ path }) => path);
  const hashes = shown.flatMap((path) => [before.files[path], after.files[path]]);
  const isHash = (hash: string | undefined): hash is string => hash !== undefined;
  const contents = await readContents(deps.db, workspaceId, hashes.filter(isHash));
  return diff.files.map(({ path, change }) => {
    const [was, is] = [before.files[path], after.files[path]];
    const texts = [was, is].map((hash) => (hash === undefined ? "" : fileText(contents.get(hash))));
    const isShown = shown.includes(path) && texts.every((text) => text !== null);
    return {
      path,
      change,
      before: isShown && was !== undefined ? (texts[0] ?? null) : null,
      after: isShown && is !== undefined ? (texts[1] ?? null) : null,
    };
  });
}

/** The bytes as text; null when they are none, or too many. */
function fileText(content: Uint8Array | undefined): string | null {
  if (content === undefined || content.length > MAX_SHOWN_CHARS) return null;
  const text = new TextDecoder().decode(content);
  return text.includes("\u0000") || text.includes("\ufffd") ? null : text;
}
