import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DomainError, isDomainError } from "@molecule/domain/errors";
import { MAX_MANAGED_FILE_BYTES } from "@molecule/domain/paths";
import { isTakenFile } from "@molecule/domain/plugins";
import { extract } from "tar-stream";
import { MANIFEST_FILE } from "../plugins/plugin-content.ts";
import { type CollectLimits, FileCollector, sizeText } from "./collect-files.ts";
import { entryOf } from "./read-tar.ts";

/** Most files of one plugin; all of `/configs` has a thousand. */
export const MAX_PLUGIN_FILES = 500;
const MAX_ENTRIES = 5000;
/** Headers and padding come on top of the files. */
const BYTES_PER_ENTRY = 2048;

/** What came of an archive. `broken`: it is no whole `.tar.gz`, so nothing is known of its content. */
export type ReadPluginArchive =
  | { readonly kind: "files"; readonly files: ReadonlyMap<string, Uint8Array> }
  | { readonly kind: "broken" };

/**
 * The files of a `.tar.gz` as it comes. Nothing is unpacked to a disk, and no more of it is held than a
 * plugin may have. What is refused is said without any name from inside. SPEC: PL6.
 * @throws DomainError `unprocessable` (links, devices, names that lead out or come twice),
 * `payload_too_large`.
 */
export async function readPluginArchive(
  archive: Readable,
  { maxBytes }: { readonly maxBytes: number },
): Promise<ReadPluginArchive> {
  const collector = new FileCollector(limitsOf(maxBytes));
  const reader = extract();
  // The loop below throws what goes wrong; without a listener it would end the process as well.
  reader.on("error", () => undefined);
  const feeding = pipeline(archive, createGunzip(), boundedTo(maxBytes), reader).catch(
    (error: unknown) => (error instanceof Error ? error : new Error("the archive broke off")),
  );
  try {
    for await (const entry of reader) {
      const path = collector.announce(entryOf(entry.header));
      const chunks: Buffer[] = [];
      for await (const chunk of entry) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
      if (path !== null) collector.take(path, Buffer.concat(chunks));
    }
    const failure = await feeding;
    if (failure !== undefined) throw failure;
    return { kind: "files", files: collector.finish().files };
  } catch (error) {
    reader.destroy();
    archive.destroy();
    const failure = await feeding;
    const known = [error, failure].find(isDomainError);
    if (known === undefined) return { kind: "broken" };
    throw asPluginRefusal(known);
  }
}

/** The bounds of a plugin; `maxBytes` is the operator's. */
function limitsOf(maxBytes: number): CollectLimits {
  return {
    maxFiles: MAX_PLUGIN_FILES,
    maxEntries: MAX_ENTRIES,
    maxFileBytes: Math.min(MAX_MANAGED_FILE_BYTES, maxBytes),
    maxBytes,
    marker: MANIFEST_FILE,
    dotFiles: [],
    // Below the one folder that archives of repositories have, too.
    isTaken: (path) => isTakenFile(path) || (!path.startsWith(".") && isTakenFile(belowTop(path))),
    namesEntries: false,
  };
}

const belowTop = (path: string) => path.slice(path.indexOf("/") + 1);

/** Passes bytes on until there are more than any honest archive of that size unpacks to. */
function boundedTo(maxBytes: number) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let size = 0;
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes + MAX_ENTRIES * BYTES_PER_ENTRY) {
        throw new DomainError(
          "payload_too_large",
          `It unpacks to more than ${sizeText(maxBytes)}.`,
        );
      }
      yield chunk;
    }
  };
}

/** A refusal of the collector as one of a plugin. */
function asPluginRefusal(error: DomainError): DomainError {
  const code = error.code === "payload_too_large" ? "payload_too_large" : "unprocessable";
  return new DomainError(code, error.message, { cause: error });
}
