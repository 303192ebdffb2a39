/** Most files that are read of a folder. */
export const MAX_FILES = 500;
/** Most bytes that are read of a folder; what is not text grows by a third on its way. */
export const MAX_FOLDER_BYTES = 5 * 1_048_576;
/** Most folders and files that are looked at, so that a home folder dropped by mistake ends soon. */
export const MAX_ENTRIES = 2_000;

/** Marks a folder as a team, or as one agent. */
const TEAM_FILE = "org.yaml";
const AGENT_FILE = "config.yaml";

/** A file with its path inside what was chosen. */
export interface PickedFile<F> {
  readonly path: string;
  readonly file: F;
}

/** What a folder is, with its paths relative to the file that makes it so. */
export type Folder<F> =
  | { readonly kind: "team" | "agent"; readonly files: readonly PickedFile<F>[] }
  | { readonly kind: "neither" };

/** Team or agent, by the file at its top; one folder around it is taken off. */
export function recogniseFolder<F>(files: readonly PickedFile<F>[]): Folder<F> {
  const inside = withoutTop(files);
  for (const list of inside === null ? [files] : [files, inside]) {
    const has = (name: string) => list.some(({ path }) => path === name);
    if (has(TEAM_FILE)) return { kind: "team", files: list };
    if (has(AGENT_FILE)) return { kind: "agent", files: list };
  }
  return { kind: "neither" };
}

function withoutTop<F>(files: readonly PickedFile<F>[]): readonly PickedFile<F>[] | null {
  const [top] = files[0]?.path.split("/") ?? [];
  if (top === undefined || files.some(({ path }) => !path.startsWith(`${top}/`))) return null;
  return files.map(({ path, file }) => ({ path: path.slice(top.length + 1), file }));
}

/** False for what never belongs to a team: hidden files, but for `.env`, and installed packages. */
export function isTaken(path: string): boolean {
  const parts = path.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.includes("node_modules") || parts.includes("__MACOSX")) return false;
  return parts.slice(0, -1).every((part) => !part.startsWith(".")) && isTakenName(name);
}

function isTakenName(name: string): boolean {
  return !name.startsWith(".") || name === ".env";
}

/** Why a folder is too large to be taken; null when it is not. */
export function tooLarge(found: { readonly files: number; readonly bytes: number }): string | null {
  if (found.files > MAX_FILES) {
    return `It has more than ${MAX_FILES} files. Choose the folder that has ${TEAM_FILE} or ${AGENT_FILE} in it, or leave files out.`;
  }
  if (found.bytes > MAX_FOLDER_BYTES) {
    return `Its files are more than ${MAX_FOLDER_BYTES / 1_048_576} MB together. Leave large files out, or import it as an archive.`;
  }
  return null;
}

/** What is said of a folder that is neither a team nor an agent. */
export const NEITHER = `A team has a file ${TEAM_FILE} at its top, an agent a file ${AGENT_FILE}. This has neither.`;

/** Whether a file's name is that of an archive. */
export function isArchiveName(name: string): boolean {
  return /\.(zip|tgz|tar\.gz)$/i.test(name);
}
