import { randomBytes } from "node:crypto";
import type { TunnelSettings } from "@molecule/domain/tunnel-pool";
import type { Attributes, FileEntryWithStats, SFTPWrapper } from "ssh2";
import { FileError } from "./errors.ts";
import { SFTP_EOF, SFTP_FAILURE } from "./file-status.ts";
import type { OperationBounds, Settle } from "./operation.ts";

/** What files need of their connection. */
interface FilePerformer {
  perform<T>(bounds: OperationBounds, start: (settle: Settle<T>) => void): Promise<T>;
  openSftp(): Promise<SFTPWrapper>;
}

/** A name in a folder, as it is there; a link is itself. */
export interface RemoteEntry {
  readonly name: string;
  readonly size: number;
  readonly isFolder: boolean;
}

/** A file that is read piece by piece. */
export interface RemoteReading {
  readonly size: number;
  /** In order, from where it was asked for to the end. */
  readonly pieces: AsyncIterable<Buffer>;
}

/** What a write has done so far, for whoever does it again. */
export interface WriteProgress {
  /** The file may have its new content already. */
  mayBeDone: boolean;
  /** Names of unfinished files that a cut connection has left. */
  readonly leftovers: string[];
}

type Done<T> = (error: Error | null | undefined, result: T) => void;
type Channel = "small" | "bulk";

/** One burst with the size answers most files in two round trips. */
const FIRST_READ_BYTES = 32 * 1024;
/** Below the 261,120 bytes at which the library begins to send one piece after the other. */
const PIECE_BYTES = 128 * 1024;
/** Pieces on their way at once: enough for the window of a channel, not more than lets others pass. */
const MAX_PIECES = 16;
/** Names come about 100 at a time; three answers cover most folders in one burst. */
const READDIRS_AT_ONCE = 3;
const TEMPORARY = /^\.molecule-[0-9a-f]{16}\.tmp$/;
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;

/**
 * Files of one machine, as the user who signed in. Small ones share a channel and are never behind
 * large ones, which have a channel of their own. Paths are arguments of the protocol, never of a shell.
 */
export class SftpFiles {
  readonly #performer: FilePerformer;
  readonly #bulkBytes: number;
  readonly #channels = new Map<Channel, Promise<SFTPWrapper>>();

  constructor(performer: FilePerformer, settings: TunnelSettings) {
    this.#performer = performer;
    this.#bulkBytes = settings.bulkBytes;
  }

  /** Opens the channel of small files before somebody needs it. */
  prepare(): void {
    this.#channel("small").catch(() => undefined);
  }

  /** A sign of life of the machine; a channel that gives none is replaced by a new one. */
  async probe(timeoutMs: number): Promise<void> {
    const ask = async () => {
      const sftp = await this.#channel("small");
      await this.#call({ timeoutMs }, (done) => sftp.realpath(".", done));
    };
    try {
      await ask();
    } catch {
      // One file can hold a whole channel up, a pipe that nobody writes to for instance.
      this.#abandon("small");
      this.#abandon("bulk");
      await ask();
    }
  }

  /** The content; null when it is larger than `maxBytes`. @throws FileError */
  async read(path: string, maxBytes: number): Promise<Buffer | null> {
    const sftp = await this.#channel("small");
    const handle = await this.#open(sftp, path, "r");
    try {
      const buffer = Buffer.allocUnsafe(FIRST_READ_BYTES);
      const stat = this.#stat(sftp, path, handle);
      const first = this.#readAt(sftp, path, { handle, buffer, at: 0 });
      const [size, length] = await both(stat, first);
      if (size > maxBytes) return null;
      if (length >= size || length === 0) return buffer.subarray(0, length);
      if (size > this.#bulkBytes) return await this.#readBulk(path, maxBytes);
      const whole = Buffer.allocUnsafe(size);
      buffer.copy(whole, 0, 0, length);
      const pieces = rangesOf(length, size).map(({ from, to }) =>
        this.#readFully(sftp, path, { handle, buffer: whole.subarray(from, to), at: from }),
      );
      const lengths = await Promise.all(pieces);
      return whole.subarray(0, length + lengths.reduce((sum, one) => sum + one, 0));
    } catch (error) {
      throw await this.#refined(error, path);
    } finally {
      this.#closeQuietly(sftp, handle);
    }
  }

  /** A file from a place on, over the channel of large ones. @throws FileError */
  async openReading(path: string, from = 0): Promise<RemoteReading> {
    const sftp = await this.#channel("bulk");
    const handle = await this.#open(sftp, path, "r");
    try {
      const size = await this.#stat(sftp, path, handle);
      return { size, pieces: this.#pieces(sftp, path, { handle, from, size }) };
    } catch (error) {
      this.#closeQuietly(sftp, handle);
      throw error;
    }
  }

  async *#pieces(
    sftp: SFTPWrapper,
    path: string,
    of: { readonly handle: Buffer; readonly from: number; readonly size: number },
  ): AsyncGenerator<Buffer> {
    const { handle } = of;
    const ranges = rangesOf(of.from, of.size);
    const ahead: Promise<Buffer>[] = [];
    const ask = (): void => {
      const range = ranges[asked];
      if (range === undefined) return;
      asked += 1;
      const buffer = Buffer.allocUnsafe(range.to - range.from);
      const piece = this.#readFully(sftp, path, { handle, buffer, at: range.from });
      const filled = piece.then((length) => buffer.subarray(0, length));
      // Awaited in its turn; when an earlier one fails nobody asks for it.
      filled.catch(() => undefined);
      ahead.push(filled);
    };
    let asked = 0;
    try {
      while (asked < Math.min(MAX_PIECES, ranges.length)) ask();
      for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
        const piece = await next;
        ask();
        yield piece;
      }
    } finally {
      this.#closeQuietly(sftp, handle);
    }
  }

  /**
   * Replaces a file as a whole: whoever reads sees the old content or the new one, and a full disk leaves
   * the old one. A link is replaced, never followed; the mode of a replaced file is kept. Missing folders
   * are made.
   * @throws FileError
   */
  async write(
    path: string,
    content: Buffer,
    progress: WriteProgress = newWriteProgress(),
  ): Promise<void> {
    const sftp = await this.#channel(content.length > this.#bulkBytes ? "bulk" : "small");
    for (const left of progress.leftovers.splice(0)) this.#unlinkQuietly(sftp, left);
    if (progress.mayBeDone && (await this.#has(path, content))) return;
    const temporary = siblingOf(path);
    const before = this.#lstat(sftp, path);
    const opened = this.#open(sftp, temporary, "wx").catch(async (error: unknown) => {
      if (!isMissing(error)) throw error;
      await this.#makeFolders(sftp, folderOf(path));
      return await this.#open(sftp, temporary, "wx");
    });
    progress.leftovers.push(temporary);
    try {
      const [old, handle] = await both(before, opened);
      if (old !== null && (old.mode & FILE_TYPE) === FOLDER)
        throw new FileError("not-a-file", path);
      const isFile = old !== null && (old.mode & FILE_TYPE) === REGULAR;
      const mode = isFile ? old.mode & 0o7777 : 0o644;
      await this.#fill(sftp, temporary, { handle, content, mode });
      // Only now: a rename behind a write that fails would publish half a file.
      progress.mayBeDone = true;
      await this.#call({ path }, (done: Done<void>) => renameOver(sftp, temporary, path, done));
      progress.leftovers.length = 0;
    } catch (error) {
      if (error instanceof FileError) {
        this.#unlinkQuietly(sftp, temporary);
        progress.leftovers.length = 0;
      }
      throw await this.#refined(error, path);
    }
  }

  /** What is in a folder, in no order. Unfinished files of our own are left out. @throws FileError */
  async list(path: string): Promise<readonly RemoteEntry[]> {
    const sftp = await this.#channel("small");
    const handle = await this.#call<Buffer>({ path }, (done) => sftp.opendir(path, done));
    const entries: RemoteEntry[] = [];
    let isOver = false;
    const readOn = async (): Promise<void> => {
      while (!isOver) {
        const found = await this.#readNames(sftp, path, handle);
        if (found === null) isOver = true;
        else entries.push(...found);
      }
    };
    try {
      await Promise.all(Array.from({ length: READDIRS_AT_ONCE }, readOn));
    } finally {
      this.#closeQuietly(sftp, handle);
    }
    return entries.filter(({ name }) => name !== "." && name !== ".." && !TEMPORARY.test(name));
  }

  /** Removes a file, a link or an empty folder. `isReplay`: gone already is success. @throws FileError */
  async remove(path: string, isReplay = false): Promise<void> {
    const sftp = await this.#channel("small");
    try {
      await this.#call({ path }, (done: Done<void>) => sftp.unlink(path, done));
    } catch (error) {
      if (isReplay && isMissing(error)) return;
      if (!(error instanceof FileError) || error.status !== SFTP_FAILURE) throw error;
      const stat = await this.#lstat(sftp, path);
      if (stat === null || (stat.mode & FILE_TYPE) !== FOLDER) throw error;
      await this.#call({ path }, (done: Done<void>) => sftp.rmdir(path, done));
    }
  }

  async #readBulk(path: string, maxBytes: number): Promise<Buffer | null> {
    const { size, pieces } = await this.openReading(path);
    if (size > maxBytes) return null;
    const all: Buffer[] = [];
    for await (const piece of pieces) all.push(piece);
    return Buffer.concat(all);
  }

  async #has(path: string, content: Buffer): Promise<boolean> {
    try {
      return (await this.read(path, content.length))?.equals(content) === true;
    } catch (error) {
      if (error instanceof FileError) return false;
      throw error;
    }
  }

  async #fill(
    sftp: SFTPWrapper,
    path: string,
    file: { readonly handle: Buffer; readonly content: Buffer; readonly mode: number },
  ): Promise<void> {
    const { handle, content, mode } = file;
    const ranges = rangesOf(0, content.length);
    let next = 0;
    const writeOn = async (): Promise<void> => {
      for (let range = ranges[next]; range !== undefined; range = ranges[next]) {
        next += 1;
        const { from, to } = range;
        await this.#call({ path, bytes: to - from }, (done: Done<void>) =>
          sftp.write(handle, content, from, to - from, from, done),
        );
      }
    };
    const writes = Promise.all(Array.from({ length: MAX_PIECES }, writeOn));
    const modes = this.#call({ path }, (done: Done<void>) => sftp.fsetstat(handle, { mode }, done));
    // Requests are done in order, so with one piece the close goes in the same burst.
    if (ranges.length > 1) await writes.finally(() => modes.catch(() => undefined));
    const closed = this.#call({ path }, (done: Done<void>) => sftp.close(handle, done));
    await both(writes, both(modes, closed));
  }

  async #makeFolders(sftp: SFTPWrapper, folder: string): Promise<void> {
    const parents: string[] = [];
    for (let one = folder; one !== "/" && one !== ""; one = folderOf(one)) parents.unshift(one);
    for (const one of parents) {
      // One that is there is no news; one that cannot be made shows when the file is opened.
      await this.#call({ path: one }, (done: Done<void>) => sftp.mkdir(one, done)).catch(
        (error: unknown) => {
          if (!(error instanceof FileError)) throw error;
        },
      );
    }
  }

  /** Code 4 stands for many things: a full disk and a folder are told apart. */
  async #refined(error: unknown, path: string): Promise<unknown> {
    if (!(error instanceof FileError) || error.status !== SFTP_FAILURE) return error;
    try {
      const sftp = await this.#channel("small");
      const stat = await this.#lstat(sftp, path);
      if (stat !== null && (stat.mode & FILE_TYPE) === FOLDER) {
        return new FileError("not-a-file", path, error.status);
      }
      const disk = await this.#call<{ f_bavail?: unknown; f_bfree?: unknown }>({ path }, (done) =>
        sftp.ext_openssh_statvfs(folderOf(path), done),
      );
      return Number(disk.f_bavail) < 4 ? new FileError("no-space", path, error.status) : error;
    } catch {
      return error;
    }
  }

  #channel(which: Channel): Promise<SFTPWrapper> {
    const known = this.#channels.get(which);
    if (known !== undefined) return known;
    const opening = this.#performer.openSftp();
    this.#channels.set(which, opening);
    opening.catch(() => {
      if (this.#channels.get(which) === opening) this.#channels.delete(which);
    });
    return opening;
  }

  #abandon(which: Channel): void {
    const channel = this.#channels.get(which);
    this.#channels.delete(which);
    channel
      ?.then((sftp) => {
        sftp.removeAllListeners("close");
        sftp.end();
      })
      .catch(() => undefined);
  }

  #call<T>(bounds: OperationBounds, start: (done: Done<T>) => void): Promise<T> {
    return this.#performer.perform<T>(bounds, ({ resolve, reject }) =>
      start((error, result) => (error ? reject(error) : resolve(result))),
    );
  }

  #open(sftp: SFTPWrapper, path: string, mode: "r" | "wx"): Promise<Buffer> {
    return this.#call<Buffer>({ path }, (done) => sftp.open(path, mode, 0o600, done));
  }

  /** Size of a regular file. */
  async #stat(sftp: SFTPWrapper, path: string, handle: Buffer): Promise<number> {
    const stat = await this.#call<Attributes>({ path }, (done) => sftp.fstat(handle, done));
    if ((stat.mode & FILE_TYPE) !== REGULAR) throw new FileError("not-a-file", path);
    return stat.size;
  }

  /** Null: there is nothing. */
  async #lstat(sftp: SFTPWrapper, path: string): Promise<Attributes | null> {
    try {
      return await this.#call<Attributes>({ path }, (done) => sftp.lstat(path, done));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Bytes that were read; 0 at the end. */
  async #readAt(
    sftp: SFTPWrapper,
    path: string,
    into: { readonly handle: Buffer; readonly buffer: Buffer; readonly at: number },
  ): Promise<number> {
    const { handle, buffer, at } = into;
    try {
      return await this.#call<number>({ path, bytes: buffer.length }, (done) =>
        sftp.read(handle, buffer, 0, buffer.length, at, done),
      );
    } catch (error) {
      if (error instanceof FileError && error.status === SFTP_EOF) return 0;
      throw error;
    }
  }

  async #readFully(
    sftp: SFTPWrapper,
    path: string,
    into: { readonly handle: Buffer; readonly buffer: Buffer; readonly at: number },
  ): Promise<number> {
    let filled = 0;
    while (filled < into.buffer.length) {
      const { handle, at } = into;
      const rest = { handle, buffer: into.buffer.subarray(filled), at: at + filled };
      const length = await this.#readAt(sftp, path, rest);
      if (length === 0) break;
      filled += length;
    }
    return filled;
  }

  /** Null at the end. */
  async #readNames(
    sftp: SFTPWrapper,
    path: string,
    handle: Buffer,
  ): Promise<readonly RemoteEntry[] | null> {
    try {
      const found = await this.#call<FileEntryWithStats[]>({ path }, (done) =>
        sftp.readdir(handle, done),
      );
      return found.map(({ filename, attrs }) => ({
        name: filename,
        size: attrs.size,
        isFolder: (attrs.mode & FILE_TYPE) === FOLDER,
      }));
    } catch (error) {
      if (error instanceof FileError && error.status === SFTP_EOF) return null;
      throw error;
    }
  }

  #closeQuietly(sftp: SFTPWrapper, handle: Buffer): void {
    this.#call({}, (done: Done<void>) => sftp.close(handle, done)).catch(() => undefined);
  }

  #unlinkQuietly(sftp: SFTPWrapper, path: string): void {
    this.#call({}, (done: Done<void>) => sftp.unlink(path, done)).catch(() => undefined);
  }
}

export function newWriteProgress(): WriteProgress {
  return { mayBeDone: false, leftovers: [] };
}

/** Both results; the second is not lost sight of when the first fails. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

function rangesOf(from: number, to: number): { readonly from: number; readonly to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (let at = from; at < to; at += PIECE_BYTES) {
    ranges.push({ from: at, to: Math.min(to, at + PIECE_BYTES) });
  }
  return ranges;
}

function renameOver(sftp: SFTPWrapper, from: string, to: string, done: Done<void>): void {
  try {
    sftp.ext_openssh_rename(from, to, (error) => done(error, undefined));
  } catch {
    // The plain rename does not replace a file, and removing it first would leave a gap.
    done(new FileError("unsupported", to), undefined);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof FileError && error.fault === "not-found";
}

function folderOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at <= 0 ? "/" : path.slice(0, at);
}

function siblingOf(path: string): string {
  const name = `.molecule-${randomBytes(8).toString("hex")}.tmp`;
  return `${path.slice(0, path.lastIndexOf("/") + 1)}${name}`;
}
