import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { FileCollector } from "./archive/collect-files.ts";
import { ORG_LIMITS, type OrgBundle, readOrgBundle } from "./org-bundle.ts";
import { ORG_FILE } from "./org-node.ts";
import { MAX_ORG_BYTES, type OrgTemplate, readOrgTemplate } from "./org-template.ts";

/** One folder of teams: a team, or why it is none. */
export type LoadedOrg =
  | { readonly kind: "org"; readonly dir: string; readonly org: OrgTemplate }
  | { readonly kind: "broken"; readonly dir: string; readonly cause: string };

/** Every team in the folder, by name, as it is now. No folder at all is []. */
export async function loadOrgTemplates(folder: string): Promise<LoadedOrg[]> {
  return await Promise.all((await dirsIn(folder)).map((dir) => loadOne(folder, dir)));
}

/**
 * The team of one folder with all its files; null when there is no folder of that name.
 * @throws DomainError `bad_request`, `payload_too_large` with the cause.
 */
export async function findOrgBundle(folder: string, dir: string): Promise<OrgBundle | null> {
  // A name that is listed is no path: it leads nowhere else.
  if (!(await dirsIn(folder)).includes(dir)) return null;
  const collector = new FileCollector(ORG_LIMITS);
  const waiting = [""];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    waiting.push(...(await collectFolder(join(folder, dir), at, collector)));
  }
  return readOrgBundle(collector.finish());
}

/** Takes the files of one folder; answers the folders in it that are looked through. */
async function collectFolder(top: string, at: string, collector: FileCollector): Promise<string[]> {
  const folders: string[] = [];
  const entries = await readdir(join(top, at), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = at === "" ? entry.name : `${at}/${entry.name}`;
    if (entry.isDirectory()) {
      collector.announce({ path, kind: "folder", size: 0 });
      if (!entry.name.startsWith(".")) folders.push(path);
      continue;
    }
    const { size } = await lstat(join(top, path));
    const taken = collector.announce({ path, kind: entry.isFile() ? "file" : "other", size });
    if (taken !== null) collector.take(taken, await readFile(join(top, path)));
  }
  return folders;
}

async function dirsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

async function loadOne(folder: string, dir: string): Promise<LoadedOrg> {
  try {
    const path = join(folder, dir, ORG_FILE);
    const stats = await lstat(path);
    if (!stats.isFile() || stats.size > MAX_ORG_BYTES) {
      throw new DomainError("bad_request", `${ORG_FILE} is no file of at most 2 MiB.`);
    }
    return { kind: "org", dir, org: readOrgTemplate(await readFile(path, "utf8")) };
  } catch (error) {
    if (isDomainError(error)) return { kind: "broken", dir, cause: error.message };
    if (codeOf(error) === "ENOENT") {
      return { kind: "broken", dir, cause: `${ORG_FILE} is missing.` };
    }
    return { kind: "broken", dir, cause: "The folder cannot be read." };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
