import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { ORG_FILE, type OrgTemplate, readOrgTemplate } from "./org-template.ts";
import { MAX_YAML_BYTES } from "./read-yaml.ts";

/** One folder of teams: a team, or why it is none. */
export type LoadedOrg =
  | { readonly kind: "org"; readonly dir: string; readonly org: OrgTemplate }
  | { readonly kind: "broken"; readonly dir: string; readonly cause: string };

/** Every team in the folder, by name, as it is now. No folder at all is []. */
export async function loadOrgTemplates(folder: string): Promise<LoadedOrg[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  const dirs = entries
    .filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name))
    .map(({ name }) => name)
    .sort();
  return await Promise.all(dirs.map((dir) => loadOne(folder, dir)));
}

async function loadOne(folder: string, dir: string): Promise<LoadedOrg> {
  try {
    const path = join(folder, dir, ORG_FILE);
    const stats = await lstat(path);
    if (!stats.isFile() || stats.size > MAX_YAML_BYTES) {
      throw new DomainError("bad_request", `${ORG_FILE} is no file of at most 256 KiB.`);
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
