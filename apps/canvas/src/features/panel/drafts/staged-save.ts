import type { ConfigDocument, SaveInput, SaveResult } from "@molecule/contracts/panel";
import type { ApplyPolicy } from "@molecule/domain/sets";
import { settingText } from "../configure/setting-text.ts";
import { type ConfigDraft, configChanges } from "./config-draft.ts";
import { type FileDrafts, stagedFiles } from "./file-draft.ts";
import { type PluginDrafts, pluginChanges, pluginEdits, pluginsAfter } from "./plugin-draft.ts";

/** Secrets to set (text) or to remove (null), by key. Never written to storage. */
export type SecretDrafts = Readonly<Record<string, string | null>>;

/** Everything of one workspace that is edited and not saved. */
export interface StagedDraft {
  readonly config: ConfigDraft;
  readonly files: FileDrafts;
  readonly secrets: SecretDrafts;
  readonly plugins: PluginDrafts;
}

/** One line of the review. */
export interface StagedChange {
  readonly key: string;
  readonly kind: "setting" | "file" | "plugin" | "secret";
  readonly label: string;
  readonly current: string;
  readonly mine: string;
  readonly isConflict: boolean;
}

/**
 * Everything the one save would carry, in the order of the form: settings, files, plugins, secrets. Settings
 * are absent while their document is not loaded: what cannot be compared is not sent.
 */
export function stagedChanges(
  draft: StagedDraft,
  document: ConfigDocument | undefined,
): StagedChange[] {
  const settings = document === undefined ? [] : configChanges(draft.config, document.desired);
  return [
    ...settings.map((change) => ({
      key: `setting:${change.field}`,
      kind: "setting" as const,
      label: change.label,
      current: settingText(change.field, change.current),
      mine: settingText(change.field, change.mine),
      isConflict: change.isConflict,
    })),
    ...stagedFiles(draft.files).map((file) => ({
      key: `file:${file.path}`,
      kind: "file" as const,
      label: file.path,
      current: (file.theirs ?? file.base)?.content ?? "",
      mine: file.content ?? "",
      isConflict: file.theirs !== null,
    })),
    ...pluginChanges(draft.plugins, document).map(({ name, ...change }) => ({
      key: `plugin:${name}`,
      kind: "plugin" as const,
      label: name,
      ...change,
    })),
    ...Object.entries(draft.secrets).map(([key, value]) => ({
      key: `secret:${key}`,
      kind: "secret" as const,
      label: key,
      current: "",
      mine: value === null ? "removed" : "new value",
      isConflict: false,
    })),
  ];
}

/** The one request that applies the draft; null when nothing would change. */
export function saveInputOf(
  workspaceId: string,
  draft: StagedDraft,
  document: ConfigDocument | undefined,
  apply?: ApplyPolicy,
): SaveInput | null {
  const settings = document === undefined ? [] : configChanges(draft.config, document.desired);
  const files = stagedFiles(draft.files);
  const secrets = Object.entries(draft.secrets);
  const plugins = pluginEdits(draft.plugins);
  if (settings.length + files.length + secrets.length + plugins.length === 0) return null;
  return {
    workspaceId,
    ...(apply === undefined ? {} : { apply }),
    ...(document !== undefined && settings.length > 0
      ? {
          baseVersion: document.version,
          config: Object.fromEntries(settings.map((change) => [change.field, change.mine])),
        }
      : {}),
    ...(files.length > 0
      ? {
          files: files.map((file) => ({
            path: file.path,
            content: file.content,
            baseSha256: file.base?.sha256 ?? null,
          })),
        }
      : {}),
    ...(plugins.length > 0 ? { plugins } : {}),
    ...(secrets.length > 0 ? { secrets: secrets.map(([key, value]) => ({ key, value })) } : {}),
  };
}

/** The document as it is after a draft was saved as `version`, until it is read again. */
export function savedDocument(
  document: ConfigDocument,
  sent: StagedDraft,
  version: number,
): ConfigDocument {
  return {
    ...document,
    version,
    desired: { ...document.desired, ...sent.config.mine },
    installedPlugins: pluginsAfter(document.installedPlugins, sent.plugins),
  };
}

/** How a save reaches the agent: what the button says, what the menu says, and what follows. */
export const APPLY_CHOICE: Readonly<
  Record<ApplyPolicy, { readonly verb: string; readonly effect: string }>
> = {
  settle: {
    verb: "Apply",
    effect: "One restart brings it to the agent; running tasks get up to 10 minutes to finish.",
  },
  idle: {
    verb: "Apply when idle",
    effect: "One restart brings it to the agent once no task runs, however long that takes.",
  },
  hold: {
    verb: "Save, apply later",
    effect: "It is saved and does not run before somebody applies it.",
  },
};

/** "3 changes · one restart · 2 running tasks will wait", or what keeps it from being one. */
export function stagedSentence(
  count: number,
  { willRestart, runningTasks }: { willRestart: boolean; runningTasks: number },
): string {
  const changes = count === 1 ? "1 change" : `${count} changes`;
  if (!willRestart) return `${changes} · no restart`;
  if (runningTasks === 0) return `${changes} · one restart`;
  const tasks = runningTasks === 1 ? "1 running task" : `${runningTasks} running tasks`;
  return `${changes} · one restart · ${tasks} will wait`;
}

/** What a save did, for the person who pressed the button. `apply` is null where nothing restarts. */
export function outcomeText(
  count: number,
  apply: ApplyPolicy | null,
  result: Pick<SaveResult, "willRestart" | "attempt" | "runningTasks">,
): string {
  const { willRestart, attempt, runningTasks } = result;
  const saved = count === 1 ? "Saved" : `${count} changes saved`;
  if (apply === "hold" && attempt === null) return `${saved} · not running yet`;
  if (!willRestart) return `${saved} · no restart now`;
  const applied = `${saved} · one restart applies ${count === 1 ? "it" : "them"}`;
  const numbered = attempt === null ? applied : `${applied} (attempt ${attempt})`;
  if (apply === "idle") return `${numbered} when the agent is idle`;
  if (runningTasks === 0) return numbered;
  const tasks = runningTasks === 1 ? "the running task" : `${runningTasks} running tasks`;
  return `${numbered} after ${tasks}, in 10 minutes at the latest`;
}
