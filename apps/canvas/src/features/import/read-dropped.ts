import { isTaken, MAX_ENTRIES, type PickedFile, tooLarge } from "./model/picked-files.ts";

/** What a person dropped or chose: one archive, or the files of a folder. */
export type Taken =
  | { readonly kind: "file"; readonly label: string; readonly file: File }
  | {
      readonly kind: "folder";
      readonly label: string;
      readonly files: readonly PickedFile<File>[];
    }
  | { readonly kind: "refused"; readonly label: string; readonly sentence: string };

/**
 * What was dropped; null when it was no file. Must be called in the drop itself: the browser forgets
 * the items afterwards.
 */
export function readDropped(items: DataTransferItemList): Promise<Taken | null> {
  const [only] = items.length === 1 ? items : [];
  const file = only?.webkitGetAsEntry() == null ? only?.getAsFile() : null;
  // Without a way to folders a single file is still one.
  if (file != null) return Promise.resolve({ kind: "file", label: file.name, file });
  const entries = [...items].flatMap((item) => {
    const entry = item.kind === "file" ? item.webkitGetAsEntry() : null;
    return entry === null ? [] : [entry];
  });
  return readEntries(entries);
}

async function readEntries(entries: readonly FileSystemEntry[]): Promise<Taken | null> {
  const [first] = entries;
  if (first === undefined) return null;
  if (entries.length === 1 && isFile(first)) {
    return { kind: "file", label: first.name, file: await fileOf(first) };
  }
  const label = entries.length === 1 ? first.name : `${entries.length} things`;
  const files: PickedFile<File>[] = [];
  const waiting = [...entries];
  let bytes = 0;
  let looked = 0;
  for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
    looked += 1;
    const path = entry.fullPath.replace(/^\//, "");
    if (looked > MAX_ENTRIES) {
      const sentence = `It has more than ${MAX_ENTRIES} folders and files.`;
      return { kind: "refused", label, sentence };
    }
    if (isDirectory(entry)) {
      // A hidden folder is not entered at all.
      if (isTaken(`${path}/x`)) waiting.push(...(await entriesOf(entry)));
    } else if (isFile(entry) && isTaken(path)) {
      const file = await fileOf(entry);
      bytes += file.size;
      files.push({ path, file });
      const sentence = tooLarge({ files: files.length, bytes });
      if (sentence !== null) return { kind: "refused", label, sentence };
    }
  }
  return { kind: "folder", label, files };
}

/** The same for a folder that was chosen in the browser's own dialog. */
export function readChosenFolder(chosen: FileList): Taken | null {
  const all = [...chosen];
  const label = all[0]?.webkitRelativePath.split("/")[0] ?? "";
  if (all.length === 0) return null;
  const files = all
    .map((file) => ({ path: file.webkitRelativePath, file }))
    .filter(({ path }) => isTaken(path));
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const sentence = tooLarge({ files: files.length, bytes });
  return sentence === null
    ? { kind: "folder", label, files }
    : { kind: "refused", label, sentence };
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A reader gives a hundred at most at a time, and none at the end. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0 || all.length > MAX_ENTRIES) return all;
    all.push(...some);
  }
}
