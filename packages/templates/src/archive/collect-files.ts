import { DomainError } from "@molecule/domain/errors";
import { parseRelativePath } from "@molecule/domain/paths";
import { CONFIG_FILE } from "../render-config.ts";
import { MAX_TEMPLATE_FILE_BYTES, MAX_TEMPLATE_FILES } from "../template.ts";

/** Most bytes of all files of one template together. */
export const MAX_TEMPLATE_BYTES = 20 * 1024 * 1024;

/** What an archive says of one entry before its content is read. */
export interface ArchiveEntry {
  readonly path: string;
  readonly kind: "file" | "folder" | "other";
  /** As announced, in bytes; what is really read is counted as well. */
  readonly size: number;
}

/** The files of a template on their way in. */
export interface CollectedFiles {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What begins with a dot, or a system put there by itself: never taken. */
  readonly left: readonly string[];
}

/** What may be in a folder that is taken in. */
export interface CollectLimits {
  /** The file that makes a folder what it is; the folder it lies in is the top. */
  readonly marker: string;
  readonly maxFiles: number;
  readonly maxEntries: number;
  /** Names beginning with a dot that are taken all the same. */
  readonly dotFiles: readonly string[];
  /** Of one file, and of all together; absent: 1 MiB and 20 MiB. */
  readonly maxFileBytes?: number;
  readonly maxBytes?: number;
  /** False for a path that is left out; absent: by `dotFiles`. */
  readonly isTaken?: (path: string) => boolean;
  /** Entries are named in a refusal; absent: they are. */
  readonly namesEntries?: boolean;
}

/** Those of the template of one workspace. */
export const TEMPLATE_LIMITS: CollectLimits = {
  marker: CONFIG_FILE,
  maxFiles: MAX_TEMPLATE_FILES,
  maxEntries: 2000,
  dotFiles: [],
};

/**
 * Takes in entries one by one and refuses the whole at the first that cannot be meant: nothing is
 * written anywhere, so what is refused leaves nothing behind.
 */
export class FileCollector {
  readonly #limits: CollectLimits;
  readonly #files = new Map<string, Uint8Array>();
  readonly #left: string[] = [];
  #entries = 0;
  #bytes = 0;

  constructor(limits: CollectLimits = TEMPLATE_LIMITS) {
    this.#limits = limits;
  }

  /**
   * The path under which to take this entry's content; null: there is nothing to take.
   * @throws DomainError `bad_request`, `payload_too_large`.
   */
  announce(entry: ArchiveEntry): string | null {
    this.#entries += 1;
    const { maxEntries, maxFiles } = this.#limits;
    if (this.#entries > maxEntries) throw tooLarge(`It has more than ${maxEntries} entries.`);
    if (entry.kind === "other") {
      const sentence = `${this.#named(entry.path)} is a link or a device; only files are taken.`;
      throw new DomainError("bad_request", sentence);
    }
    const path = pathOf(entry.path);
    if (entry.kind === "folder") return null;
    if (path === "") throw new DomainError("bad_request", "A file in it has no name.");
    if (!this.#isTaken(path)) {
      this.#left.push(path);
      return null;
    }
    if (this.#files.has(path)) {
      throw new DomainError("bad_request", `${this.#named(path)} is in it twice.`);
    }
    this.#checkSize(path, entry.size);
    if (this.#files.size >= maxFiles) throw tooLarge(`It has more than ${maxFiles} files.`);
    return path;
  }

  /** Content under a path that `announce` gave. @throws DomainError `payload_too_large`. */
  take(path: string, content: Uint8Array): void {
    this.#checkSize(path, content.length);
    this.#bytes += content.length;
    this.#files.set(path, content);
  }

  /** Everything that was taken. @throws DomainError `bad_request` for a file that is also a folder. */
  finish(): CollectedFiles {
    for (const path of this.#files.keys()) {
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
        if (!this.#files.has(path.slice(0, at))) continue;
        const sentence = `${this.#named(path.slice(0, at))} is a file and a folder at once.`;
        throw new DomainError("bad_request", sentence);
      }
    }
    return { files: withoutTopFolder(this.#files, this.#limits.marker), left: this.#left };
  }

  #checkSize(path: string, size: number): void {
    const { maxFileBytes = MAX_TEMPLATE_FILE_BYTES, maxBytes = MAX_TEMPLATE_BYTES } = this.#limits;
    if (size > maxFileBytes) {
      throw tooLarge(`${this.#named(path)} is larger than ${sizeText(maxFileBytes)}.`);
    }
    if (this.#bytes + size > maxBytes) {
      throw tooLarge(`Its files are larger than ${sizeText(maxBytes)} together.`);
    }
  }

  #isTaken(path: string): boolean {
    const { isTaken, dotFiles } = this.#limits;
    return isTaken === undefined ? !isLeftOut(path, dotFiles) : isTaken(path);
  }

  #named(path: string): string {
    return this.#limits.namesEntries === false ? "An entry of it" : `“${shown(path)}”`;
  }
}

/** A file as JSON has it: text, or bytes in base64. */
export type SentFile = string | { readonly base64: string };

/** The files of a folder that came as a map, by the same rules as an archive's. */
export function collectMap(
  map: Readonly<Record<string, SentFile>>,
  limits: CollectLimits = TEMPLATE_LIMITS,
): CollectedFiles {
  const collector = new FileCollector(limits);
  for (const [name, sent] of Object.entries(map)) {
    const content =
      typeof sent === "string"
        ? new TextEncoder().encode(sent)
        : new Uint8Array(Buffer.from(sent.base64, "base64"));
    const path = collector.announce({ path: name, kind: "file", size: content.length });
    if (path !== null) collector.take(path, content);
  }
  return collector.finish();
}

/** `./a/b/` as `a/b`; the top itself as an empty path. */
function pathOf(text: string): string {
  const path = text.replace(/^(?:\.\/)+/, "").replace(/\/$/, "");
  return path === "" || path === "." ? "" : parseRelativePath(path);
}

function isLeftOut(path: string, dotFiles: readonly string[]): boolean {
  const parts = path.split("/");
  const isTaken = (part: string, at: number) => at === parts.length - 1 && dotFiles.includes(part);
  return parts.some(
    (part, at) => part === "__MACOSX" || (part.startsWith(".") && !isTaken(part, at)),
  );
}

/** An archive of one folder is that folder. */
function withoutTopFolder(
  files: ReadonlyMap<string, Uint8Array>,
  marker: string,
): ReadonlyMap<string, Uint8Array> {
  if (files.has(marker)) return files;
  const [first = ""] = files.keys();
  const top = first.slice(0, first.indexOf("/") + 1);
  const isOne = top !== "" && [...files.keys()].every((path) => path.startsWith(top));
  if (!isOne || !files.has(`${top}${marker}`)) return files;
  return new Map([...files].map(([path, content]) => [path.slice(top.length), content]));
}

/** "1 MiB", "64 KiB", "100 bytes". */
export function sizeText(bytes: number): string {
  if (bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MiB`;
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;
}

/** A name from outside as it may stand in a sentence. */
function shown(path: string): string {
  const plain = path.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
  return plain.length > 100 ? `${plain.slice(0, 100)}…` : plain;
}

export function tooLarge(sentence: string): DomainError {
  return new DomainError("payload_too_large", sentence, { details: { field: "archive" } });
}
