import type { FileEntry } from "@molecule/contracts/panel";

/** One listed folder: its entries, or why it could not be listed. Absent means not asked yet. */
export type Listing =
  | { readonly kind: "ready"; readonly entries: readonly FileEntry[]; readonly truncated: boolean }
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly sentence: string };

/** One visible row of the tree. `path` is relative to the root; depth 0 is the root's own level. */
export type TreeRow =
  | {
      readonly kind: "entry";
      readonly path: string;
      readonly name: string;
      readonly depth: number;
      readonly isFolder: boolean;
      readonly isOpen: boolean;
      readonly size: number;
      /** `new` exists in the draft only, `deleted` is marked for deletion, `edited` is neither. */
      readonly mark: "new" | "edited" | "deleted" | null;
    }
  | {
      readonly kind: "loading" | "empty" | "truncated";
      readonly path: string;
      readonly depth: number;
    }
  | {
      readonly kind: "failed";
      readonly path: string;
      readonly depth: number;
      readonly sentence: string;
    };

/** What the tree is drawn from. Keys of `listings` are folder paths; the root is "". */
export interface TreeFacts {
  readonly listings: Readonly<Record<string, Listing>>;
  readonly open: ReadonlySet<string>;
  /** Marks of drafts by path; a new file is listed even where no listing has it. */
  readonly marks: Readonly<Record<string, "new" | "edited" | "deleted">>;
}

/** The rows to draw, top to bottom: folders before files, each in natural name order. */
export function treeRows(facts: TreeFacts): TreeRow[] {
  return folderRows(facts, "", 0);
}

function folderRows(facts: TreeFacts, folder: string, depth: number): TreeRow[] {
  const listing = facts.listings[folder] ?? { kind: "loading" };
  if (listing.kind === "failed") {
    return [{ kind: "failed", path: folder, depth, sentence: listing.sentence }];
  }
  const listed = listing.kind === "ready" ? listing.entries.map(absoluteTo(folder)) : [];
  const entries = withNewFiles(listed, folder, facts.marks);
  const rows = entries.toSorted(byKindAndName).flatMap((entry) => entryRows(facts, entry, depth));
  if (listing.kind === "loading") return [...rows, { kind: "loading", path: folder, depth }];
  if (rows.length === 0) return [{ kind: "empty", path: folder, depth }];
  return listing.truncated ? [...rows, { kind: "truncated", path: folder, depth }] : rows;
}

function entryRows(facts: TreeFacts, entry: FileEntry, depth: number): TreeRow[] {
  const isOpen = entry.dir && facts.open.has(entry.path);
  const row: TreeRow = {
    kind: "entry",
    path: entry.path,
    name: nameOf(entry.path),
    depth,
    isFolder: entry.dir,
    isOpen,
    size: entry.size,
    mark: facts.marks[entry.path] ?? null,
  };
  return isOpen ? [row, ...folderRows(facts, entry.path, depth + 1)] : [row];
}

/** New files of the draft, and the folders they would make, directly under `folder`. */
function withNewFiles(
  listed: readonly FileEntry[],
  folder: string,
  marks: TreeFacts["marks"],
): FileEntry[] {
  const known = new Set(listed.map((entry) => entry.path));
  const added = new Map<string, FileEntry>();
  const prefix = folder === "" ? "" : `${folder}/`;
  for (const [path, mark] of Object.entries(marks)) {
    if (mark !== "new" || !path.startsWith(prefix)) continue;
    const [first = "", ...rest] = path.slice(prefix.length).split("/");
    const child = prefix + first;
    if (!known.has(child)) added.set(child, { path: child, size: 0, dir: rest.length > 0 });
  }
  return [...listed, ...added.values()];
}

const absoluteTo =
  (folder: string) =>
  (entry: FileEntry): FileEntry =>
    folder === "" ? entry : { ...entry, path: `${folder}/${entry.path}` };

/** The last segment of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The folder a path is in; "" for the root. */
export function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}

/** "12 B", "3.4 KB", "1.2 MB". */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function byKindAndName(a: FileEntry, b: FileEntry): number {
  if (a.dir !== b.dir) return a.dir ? -1 : 1;
  return nameOf(a.path).localeCompare(nameOf(b.path), "en", { numeric: true });
}
