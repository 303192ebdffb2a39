import { constants, type Dirent } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PluginManifest } from "@molecule/contracts/plugins";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { MAX_MANAGED_FILE_BYTES } from "@molecule/domain/paths";
import { isPluginName, isTakenFile } from "@molecule/domain/plugins";
import { sizeText } from "../archive/collect-files.ts";
import { MAX_PLUGIN_FILES } from "../archive/plugin-archive.ts";
import { MAX_YAML_BYTES } from "../read-yaml.ts";
import { contentOf, MANIFEST_FILE, type PluginContent, readManifest } from "./plugin-content.ts";

/** Most folders and files that are looked at in one plugin's folder. */
const MAX_ENTRIES = 5000;

/** A folder of the operator's plugins: what it says of itself, or why it is none. */
export type LocalPlugin =
  | { readonly kind: "plugin"; readonly manifest: PluginManifest }
  | { readonly kind: "broken"; readonly name: string; readonly cause: string };

/** Every plugin of the folder by name, as it is now; a folder that is not there has none. */
export async function listLocalPlugins(dir: string): Promise<LocalPlugin[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const names = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .filter((name) => !/^[._]/.test(name))
    .sort();
  return await Promise.all(names.map((name) => readLocal(dir, name)));
}

async function readLocal(dir: string, name: string): Promise<LocalPlugin> {
  try {
    await requireFolder(dir, name);
    const content = await readRegular(join(dir, name, MANIFEST_FILE), MAX_YAML_BYTES);
    return { kind: "plugin", manifest: manifestOf(name, content) };
  } catch (error) {
    return { kind: "broken", name, cause: causeOf(error) };
  }
}

/**
 * A plugin of the folder with its files; null when there is none of that name.
 * @throws DomainError `unprocessable`, `payload_too_large`.
 */
export async function readLocalPlugin(
  dir: string,
  {
    name,
    source,
    maxBytes,
  }: { readonly name: string; readonly source: string; readonly maxBytes: number },
): Promise<PluginContent | null> {
  if (!isPluginName(name) || !(await isThere(join(dir, name)))) return null;
  await requireFolder(dir, name);
  const files = await filesBelow(join(dir, name), maxBytes);
  const content = contentOf({ source, isPinned: true }, files);
  requireName(name, content.plugin);
  return content;
}

async function requireFolder(dir: string, name: string): Promise<void> {
  const stats = await lstat(join(dir, name));
  if (stats.isSymbolicLink())
    throw refused("Its folder is a symbolic link, and those are not followed.");
  if (!stats.isDirectory()) throw refused("It is not a folder.");
  if (!isPluginName(name)) {
    throw refused("The name of its folder may only have letters, digits, “.”, “_” and “-”.");
  }
}

function manifestOf(folder: string, content: Uint8Array | null): PluginManifest {
  const manifest = readManifest(content);
  requireName(folder, manifest);
  return manifest;
}

function requireName(folder: string, { name }: Pick<PluginManifest, "name">): void {
  if (name !== folder)
    throw refused(`Its ${MANIFEST_FILE} names another plugin than its folder does.`);
}

/** Every file that is taken, by its path. */
async function filesBelow(folder: string, maxBytes: number): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let size = 0;
  for (const path of await pathsBelow(folder)) {
    const content = await readRegular(join(folder, path), MAX_MANAGED_FILE_BYTES);
    size += content?.length ?? 0;
    if (size > maxBytes) {
      throw tooLarge(`Its files are larger than ${sizeText(maxBytes)} together.`);
    }
    if (content !== null) files.set(path, content);
  }
  return files;
}

async function pathsBelow(folder: string): Promise<string[]> {
  const paths: string[] = [];
  const waiting = [""];
  let looked = 0;
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    const entries = await readdir(join(folder, at), { withFileTypes: true });
    looked += entries.length;
    if (looked > MAX_ENTRIES) throw tooLarge(`It has more than ${MAX_ENTRIES} entries.`);
    const below = at === "" ? "" : `${at}/`;
    const taken = (entry: Dirent) =>
      isTakenFile(`${below}${entry.name}${entry.isDirectory() ? "/x" : ""}`);
    for (const entry of entries.filter(taken)) {
      (entry.isDirectory() ? waiting : paths).push(`${below}${entry.name}`);
    }
  }
  if (paths.length > MAX_PLUGIN_FILES) {
    throw tooLarge(`It has more than ${MAX_PLUGIN_FILES} files.`);
  }
  return paths;
}

/** A regular file, through no link; null when it is not there. */
async function readRegular(path: string, maxBytes: number): Promise<Uint8Array | null> {
  const file = await open(
    path,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  ).catch((error: unknown) => {
    if (isMissing(error)) return null;
    if (codeOf(error) === "ELOOP" || codeOf(error) === "ENXIO") {
      throw refused("An entry of it is a link or a device; only files are taken.");
    }
    throw error;
  });
  if (file === null) return null;
  try {
    const stats = await file.stat();
    if (!stats.isFile())
      throw refused("An entry of it is a link or a device; only files are taken.");
    if (stats.size > maxBytes)
      throw tooLarge(`An entry of it is larger than ${sizeText(maxBytes)}.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

function refused(sentence: string): DomainError {
  return new DomainError("unprocessable", sentence);
}

function tooLarge(sentence: string): DomainError {
  return new DomainError("payload_too_large", sentence);
}

function causeOf(error: unknown): string {
  return isDomainError(error) ? error.message : "The folder cannot be read.";
}

const isMissing = (error: unknown) => codeOf(error) === "ENOENT";

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
