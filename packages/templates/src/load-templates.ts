import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { MAX_YAML_BYTES } from "./read-yaml.ts";
import { CONFIG_FILE, isRenderedFile, PROMPT_FILE } from "./render-config.ts";
import {
  isTemplateId,
  type LoadedTemplate,
  MAX_TEMPLATE_FILE_BYTES,
  MAX_TEMPLATE_FILES,
  readTemplateHead,
  type Template,
  type TemplateHead,
} from "./template.ts";

/** Most folders and files that are looked at in one template's folder. */
const MAX_ENTRIES = 2000;

/**
 * Every folder of `dir`, by name, as it is now: nothing is remembered, so what changes on the disk is
 * seen by the next call. A malformed one is listed as broken; no folder at all is [].
 */
export async function loadTemplates(dir: string): Promise<LoadedTemplate[]> {
  const folders = await foldersIn(dir);
  return await Promise.all(
    folders.map(async ({ name, cause }) => {
      if (cause !== null) return { kind: "broken" as const, id: name, cause };
      try {
        const [template] = await readHead(dir, name);
        return { kind: "template" as const, template };
      } catch (error) {
        return { kind: "broken" as const, id: name, cause: causeOf(error) };
      }
    }),
  );
}

/**
 * The template called `id` with its files; null when the folder has none of that name.
 * @throws DomainError `bad_request` when it is broken.
 */
export async function findTemplate(dir: string, id: string): Promise<Template | null> {
  const folder = (await foldersIn(dir)).find(({ name }) => name === id);
  if (folder === undefined) return null;
  try {
    if (folder.cause !== null) throw new DomainError("bad_request", folder.cause);
    const [head, paths] = await readHead(dir, id);
    const files = new Map<string, Uint8Array>();
    for (const path of paths) files.set(path, await readFile(join(dir, id, path)));
    return { ...head, files };
  } catch (error) {
    const sentence = `The template “${id}” cannot be used: ${causeOf(error)}`;
    throw new DomainError("bad_request", sentence, { cause: error });
  }
}

/** A folder of the templates' folder, and why it cannot be one. */
interface Folder {
  readonly name: string;
  readonly cause: string | null;
}

async function foldersIn(dir: string): Promise<Folder[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .filter(({ name }) => !/^[._]/.test(name))
    .map((entry) => ({ name: entry.name, cause: causeOfFolder(entry) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function causeOfFolder(entry: { readonly name: string; isSymbolicLink(): boolean }): string | null {
  if (entry.isSymbolicLink()) return "It is a symbolic link, and those are not followed.";
  if (isTemplateId(entry.name)) return null;
  return "The name of its folder may only have lower-case letters, digits and “-”, and not be “external”.";
}

/** What the template says, and the paths of its further files. */
async function readHead(dir: string, id: string): Promise<[TemplateHead, string[]]> {
  const folder = join(dir, id);
  const config = await readRegular(folder, CONFIG_FILE, MAX_YAML_BYTES);
  if (config === null) throw new DomainError("bad_request", `${CONFIG_FILE} is missing.`);
  const prompt = await readRegular(folder, PROMPT_FILE, MAX_TEMPLATE_FILE_BYTES);
  return [readTemplateHead(id, { config, prompt }), await furtherFiles(folder)];
}

/** A regular file; null when there is none. @throws DomainError `bad_request`. */
async function readRegular(
  folder: string,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  try {
    await checkRegular(folder, path, maxBytes);
    return await readFile(join(folder, path));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function checkRegular(folder: string, path: string, maxBytes: number): Promise<void> {
  const stats = await lstat(join(folder, path));
  if (stats.isSymbolicLink()) {
    throw new DomainError("bad_request", `${path} is a symbolic link, and those are not followed.`);
  }
  if (!stats.isFile()) throw new DomainError("bad_request", `${path} is not a file.`);
  if (stats.size > maxBytes) {
    throw new DomainError("bad_request", `${path} is larger than ${maxBytes / 1024} KiB.`);
  }
}

/** Paths of the files that come along, without what begins with a dot. */
async function furtherFiles(folder: string): Promise<string[]> {
  const paths: string[] = [];
  const waiting = [""];
  let looked = 0;
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
      looked += 1;
      if (looked > MAX_ENTRIES || paths.length > MAX_TEMPLATE_FILES) {
        throw new DomainError("bad_request", `It has more than ${MAX_TEMPLATE_FILES} files.`);
      }
      const path = at === "" ? entry.name : `${at}/${entry.name}`;
      if (entry.name.startsWith(".") || isRenderedFile(path)) continue;
      if (entry.isDirectory()) waiting.push(path);
      else {
        await checkRegular(folder, path, MAX_TEMPLATE_FILE_BYTES);
        paths.push(path);
      }
    }
  }
  return paths.sort();
}

function causeOf(error: unknown): string {
  return isDomainError(error) ? error.message : "The folder cannot be read.";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
