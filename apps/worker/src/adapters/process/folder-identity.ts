import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { isCode } from "./accounts.ts";

/** Beside the workspaces' folders; no workspace has such a name. */
const FILE = ".identity";

/**
 * The name of the folder that holds the workspaces, made with the folder and kept as long as it: a
 * folder that was emptied, or another disk in its place, has another.
 */
export async function folderIdentity(folder: string): Promise<string> {
  const file = path.join(folder, FILE);
  const known = await readName(file);
  if (known !== null) return known;
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const half = `${file}.${randomUUID()}.half`;
  await writeFile(half, randomUUID(), { mode: 0o600 });
  try {
    // Linked, not renamed: of two workers that make it at once, the first one's stays.
    await link(half, file);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await rm(half, { force: true });
  }
  const made = await readName(file);
  if (made === null) throw new Error("invariant: the folder's name was written as a whole");
  return made;
}

async function readName(file: string): Promise<string | null> {
  try {
    const name = (await readFile(file, "utf8")).trim();
    return name === "" ? null : name;
  } catch (error) {
    if (isCode(error, "ENOENT")) return null;
    throw error;
  }
}
