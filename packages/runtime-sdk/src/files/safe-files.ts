import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  unlink,
} from "node:fs/promises";
import path from "node:path";
import { DomainError } from "@molecule/domain/errors";
import { parseRelativePath } from "@molecule/domain/paths";

/** Largest file that is read or written in one piece, in bytes. */
export const MAX_FILE_BYTES = 25 * 1024 * 1024;
/** Entries of one listing; the rest is left out and said so. */
export const MAX_LISTED = 2000;
/** Names that no listing shows. Source: wire contract §9.4. */
const HIDDEN = new Set([".git", "node_modules", "__pycache__", ".DS_Store"]);

/** One entry of a listing; `path` is relative to the listed folder. */
interface ListedFile {
  readonly path: string;
  readonly size: number;
  readonly dir: boolean;
}

/** A listing in order of path; `truncated` when it stopped at {@link MAX_LISTED}. */
export interface Listing {
  readonly entries: readonly ListedFile[];
  readonly truncated: boolean;
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK } = constants;

/**
 * Files below one folder that are never reached through a link: every segment is opened relative to
 * the handle of its parent with O_NOFOLLOW, so neither a link that is there nor one that appears
 * meanwhile leads outside.
 *
 * Without `/proc` (not Linux) a segment is checked and then opened, which is only as good as nobody
 * else writing there at the same moment.
 */
export class SafeFiles {
  readonly #root: string;

  /** `root` is an absolute path that the platform chose; the root itself may be a link. */
  constructor(root: string) {
    this.#root = root;
  }

  /** @throws DomainError `not_found` | `bad_request` | `forbidden` */
  async list(relative: string, depth: number): Promise<Listing> {
    const segments = isRoot(relative) ? [] : splitPath(relative);
    const entries: ListedFile[] = [];
    await using folder = await this.#openFolder(segments, false);
    const isWhole = await collect(folder, { prefix: "", depth, entries });
    entries.sort((a, b) => (a.path < b.path ? -1 : 1));
    return { entries, truncated: !isWhole };
  }

  /** @throws DomainError `not_found` | `bad_request` | `forbidden` | `payload_too_large` */
  async read(relative: string): Promise<Buffer> {
    const { parents, name } = splitName(relative);
    await using folder = await this.#openFolder(parents, false);
    await using file = await openIn(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = await file.handle.stat();
    if (!stat.isFile()) throw new DomainError("bad_request", `${relative} is not a file.`);
    if (stat.size > MAX_FILE_BYTES) throw tooLarge(relative);
    const content = await readUpTo(file.handle, MAX_FILE_BYTES + 1);
    if (content.length > MAX_FILE_BYTES) throw tooLarge(relative);
    return content;
  }

  /** Replaces or creates the file as a whole, with its parents. @throws DomainError as `read` */
  async write(relative: string, content: Uint8Array): Promise<void> {
    if (content.length > MAX_FILE_BYTES) throw tooLarge(relative);
    const { parents, name } = splitName(relative);
    await using folder = await this.#openFolder(parents, true);
    const target = folder.pathOf(name);
    const before = await lstat(target).catch(() => undefined);
    if (before !== undefined && !before.isFile()) {
      throw new DomainError("bad_request", `${relative} is not a file, so it cannot be replaced.`);
    }
    const temporary = folder.pathOf(`.molecule-${randomBytes(8).toString("hex")}`);
    const handle = await open(
      temporary,
      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
      before === undefined ? 0o644 : before.mode & 0o777,
    ).catch((error: unknown) => {
      throw translate(error, relative);
    });
    try {
      await handle.writeFile(content);
      await handle.close();
      await rename(temporary, target);
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(temporary, { force: true });
      throw translate(error, relative);
    }
  }

  /** Creates a file that must not exist, mode 0600. @throws DomainError `conflict` and as `read` */
  async createExclusive(relative: string): Promise<FileHandle> {
    const { parents, name } = splitName(relative);
    await using folder = await this.#openFolder(parents, true);
    // Awaited here: the folder is closed when this returns, and the file is opened through it.
    return await open(folder.pathOf(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600).catch(
      (error: unknown) => {
        throw translate(error, relative);
      },
    );
  }

  /** Removes a file, a link, or an empty folder. @throws DomainError `not_found` | `conflict` */
  async remove(relative: string): Promise<void> {
    const { parents, name } = splitName(relative);
    await using folder = await this.#openFolder(parents, false);
    const target = folder.pathOf(name);
    try {
      const stat = await lstat(target);
      await (stat.isDirectory() ? rmdir(target) : unlink(target));
    } catch (error) {
      throw translate(error, relative);
    }
  }

  async #openFolder(segments: readonly string[], create: boolean): Promise<OpenFolder> {
    let current = await OpenFolder.open(this.#root, O_RDONLY | O_DIRECTORY).catch(
      (error: unknown) => {
        throw translate(error, path.basename(this.#root));
      },
    );
    for (const [index, segment] of segments.entries()) {
      await using parent = current;
      const shown = segments.slice(0, index + 1).join("/");
      if (create) {
        await mkdir(parent.pathOf(segment)).catch((error: unknown) => {
          if (codeOf(error) !== "EEXIST") throw translate(error, shown);
        });
      }
      current = await openIn(parent, segment, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    }
    return current;
  }
}

/** An open handle whose children can be named relative to it. */
class OpenFolder {
  readonly handle: FileHandle;
  readonly #path: string;

  private constructor(handle: FileHandle, where: string) {
    this.handle = handle;
    this.#path = process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : where;
  }

  static async open(where: string, flags: number): Promise<OpenFolder> {
    if (process.platform !== "linux" && (flags & O_NOFOLLOW) !== 0) {
      const stat = await lstat(where);
      if (stat.isSymbolicLink()) throw Object.assign(new Error("is a link"), { code: "ELOOP" });
    }
    return new OpenFolder(await open(where, flags), where);
  }

  /** Where a child is, as seen through this handle. */
  pathOf(name: string): string {
    return `${this.#path}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }
}

async function openIn(folder: OpenFolder, name: string, flags: number): Promise<OpenFolder> {
  try {
    return await OpenFolder.open(folder.pathOf(name), flags);
  } catch (error) {
    throw translate(error, name);
  }
}

interface Collecting {
  readonly prefix: string;
  readonly depth: number;
  readonly entries: ListedFile[];
}

/** Adds what is in `folder`; false when the limit was reached. */
async function collect(folder: OpenFolder, into: Collecting): Promise<boolean> {
  const names = await readdir(folder.pathOf("."));
  names.sort();
  for (const name of names) {
    if (HIDDEN.has(name)) continue;
    if (into.entries.length >= MAX_LISTED) return false;
    const stat = await lstat(folder.pathOf(name)).catch(() => undefined);
    if (stat === undefined) continue;
    const shown = `${into.prefix}${name}`;
    into.entries.push({
      path: shown,
      size: stat.isDirectory() ? 0 : stat.size,
      dir: stat.isDirectory(),
    });
    if (!stat.isDirectory() || into.depth <= 1) continue;
    const child = await openIn(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(
      () => undefined,
    );
    if (child === undefined) continue;
    await using inside = child;
    const next = { prefix: `${shown}/`, depth: into.depth - 1, entries: into.entries };
    if (!(await collect(inside, next))) return false;
  }
  return true;
}

async function readUpTo(handle: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  while (size < limit) {
    const chunk = Buffer.alloc(Math.min(1024 * 1024, limit - size));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) break;
    chunks.push(chunk.subarray(0, bytesRead));
    size += bytesRead;
  }
  return Buffer.concat(chunks);
}

function isRoot(relative: string): boolean {
  return relative === "" || relative === ".";
}

function splitPath(relative: string): string[] {
  return parseRelativePath(relative).split("/");
}

function splitName(relative: string): { parents: string[]; name: string } {
  const parents = splitPath(relative);
  const name = parents.pop();
  if (name === undefined) throw new DomainError("bad_request", "The path is empty.");
  return { parents, name };
}

function tooLarge(name: string): DomainError {
  return new DomainError("payload_too_large", `${name} is larger than 25 MB.`);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

function translate(error: unknown, name: string): unknown {
  switch (codeOf(error)) {
    case "ENOENT":
      return new DomainError("not_found", `${name} does not exist.`, { cause: error });
    case "ELOOP":
      return new DomainError("forbidden", `${name} is a link, and links are not followed.`, {
        cause: error,
      });
    case "ENOTDIR":
      return new DomainError("bad_request", `${name} is not a folder.`, { cause: error });
    case "EISDIR":
    case "ENXIO":
      return new DomainError("bad_request", `${name} is not a file.`, { cause: error });
    case "EEXIST":
      return new DomainError("conflict", `${name} already exists.`, { cause: error });
    case "ENOTEMPTY":
      return new DomainError("conflict", `The folder ${name} is not empty.`, { cause: error });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new DomainError("forbidden", `${name} is not accessible here.`, { cause: error });
    case "ENOSPC":
    case "EDQUOT":
      return new DomainError("not_available_here", "The disk of this workspace is full.", {
        cause: error,
      });
    default:
      return error;
  }
}
