import type { FileRoot } from "@molecule/domain/sets";

/** An edit of a file that is not saved. */
export interface FileDraft {
  readonly root: FileRoot;
  readonly path: string;
  /** What the edit started from; null for a new file. */
  readonly base: { readonly content: string; readonly sha256: string } | null;
  /** The text to save; null deletes the file. */
  readonly content: string | null;
  /** Set when a save found that the file had changed: what is stored now. */
  readonly theirs: { readonly content: string; readonly sha256: string } | null;
}

/** Drafts by {@link fileKey}. */
export type FileDrafts = Readonly<Record<string, FileDraft>>;

/** A draft that is larger than this lives in memory only; local storage is small. */
export const MAX_PERSISTED_DRAFT_CHARS = 200_000;

/** One key per file over all roots. */
export function fileKey(root: FileRoot, path: string): string {
  return `${root}/${path}`;
}

/** The drafts after typing. Text equal to the base is no draft. */
export function editFile(drafts: FileDrafts, draft: FileDraft): FileDrafts {
  const key = fileKey(draft.root, draft.path);
  if (draft.base !== null && draft.content === draft.base.content) return dropFile(drafts, key);
  return { ...drafts, [key]: { ...draft, theirs: drafts[key]?.theirs ?? draft.theirs } };
}

/** The drafts without one file. */
export function dropFile(drafts: FileDrafts, key: string): FileDrafts {
  const { [key]: _dropped, ...rest } = drafts;
  return rest;
}

/**
 * The drafts after a save of `content` went through. What was typed meanwhile stays a draft, now on
 * top of what was saved.
 */
export function settleSavedFile(
  drafts: FileDrafts,
  key: string,
  saved: { content: string; sha256: string },
): FileDrafts {
  const draft = drafts[key];
  if (draft === undefined) return drafts;
  if (draft.content === null || draft.content === saved.content) return dropFile(drafts, key);
  return { ...drafts, [key]: { ...draft, base: saved, theirs: null } };
}

/** A conflict is known: both texts are shown until the person decides. */
export function markConflict(
  drafts: FileDrafts,
  key: string,
  theirs: { content: string; sha256: string },
): FileDrafts {
  const draft = drafts[key];
  if (draft === undefined) return drafts;
  if (draft.content === theirs.content) return dropFile(drafts, key);
  return { ...drafts, [key]: { ...draft, theirs } };
}

/** The person keeps their own text: the next save is based on what is stored now. */
export function keepMyFile(drafts: FileDrafts, key: string): FileDrafts {
  const draft = drafts[key];
  if (draft === undefined || draft.theirs === null) return drafts;
  return { ...drafts, [key]: { ...draft, base: draft.theirs, theirs: null } };
}

/** Managed files are part of the one save; files of other roots are written by themselves. */
export function stagedFiles(drafts: FileDrafts): FileDraft[] {
  return Object.values(drafts)
    .filter((draft) => draft.root === "/configs")
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What a reload keeps. */
export function persistableFiles(drafts: FileDrafts): FileDrafts {
  return Object.fromEntries(
    Object.entries(drafts).filter(
      ([, draft]) =>
        (draft.content?.length ?? 0) + (draft.base?.content.length ?? 0) <=
        MAX_PERSISTED_DRAFT_CHARS,
    ),
  );
}
