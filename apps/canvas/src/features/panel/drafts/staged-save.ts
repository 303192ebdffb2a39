import type { ConfigDocument, SaveInput } from "@molecule/contracts/panel";
import { settingText } from "../configure/setting-text.ts";
import { type ConfigDraft, configChanges } from "./config-draft.ts";
import { type FileDrafts, stagedFiles } from "./file-draft.ts";

/** Secrets to set (text) or to remove (null), by key. Never written to storage. */
export type SecretDrafts = Readonly<Record<string, string | null>>;

/** Everything of one workspace that is edited and not saved. */
export interface StagedDraft {
  readonly config: ConfigDraft;
  readonly files: FileDrafts;
  readonly secrets: SecretDrafts;
}

/** One line of the review. */
export interface StagedChange {
  readonly key: string;
  readonly kind: "setting" | "file" | "secret";
  readonly label: string;
  readonly current: string;
  readonly mine: string;
  readonly isConflict: boolean;
}

/**
 * Everything the one save would carry, in the order of the form: settings, files, secrets. Settings
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
): SaveInput | null {
  const settings = document === undefined ? [] : configChanges(draft.config, document.desired);
  const files = stagedFiles(draft.files);
  const secrets = Object.entries(draft.secrets);
  if (settings.length + files.length + secrets.length === 0) return null;
  return {
    workspaceId,
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
    ...(secrets.length > 0 ? { secrets: secrets.map(([key, value]) => ({ key, value })) } : {}),
  };
}

/** The document as it is after a draft was saved as `version`, until it is read again. */
export function savedDocument(
  document: ConfigDocument,
  sent: StagedDraft,
  version: number,
): ConfigDocument {
  return { ...document, version, desired: { ...document.desired, ...sent.config.mine } };
}

/** "3 changes · one restart", or what keeps it from being one. */
export function stagedSentence(count: number, willRestart: boolean): string {
  const changes = count === 1 ? "1 change" : `${count} changes`;
  return willRestart ? `${changes} · one restart` : `${changes} · no restart`;
}
