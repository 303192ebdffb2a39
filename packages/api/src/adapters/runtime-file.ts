import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { FilePart, ServedFile } from "../services/chat/served-file.ts";

/** The bundled runtime, by its content. */
export interface RuntimeFile {
  /** The file while its SHA-256 (hex) is this one; null when it is another or cannot be read. */
  find(sha256: string): Promise<ServedFile | null>;
}

/** The file at a path; its hash is read again when somebody builds it anew. */
export function createRuntimeFile(path: string): RuntimeFile {
  let known: { readonly stamp: string; readonly sha256: Promise<string> } | null = null;
  return {
    find: async (sha256) => {
      const found = await stat(path).catch(() => null);
      if (found === null || !found.isFile()) return null;
      const stamp = `${found.ino}:${found.mtimeMs}:${found.size}`;
      if (known?.stamp !== stamp) known = { stamp, sha256: hashOf(path) };
      if ((await known.sha256.catch(() => null)) !== sha256) return null;
      return {
        name: "runtime.mjs",
        contentType: "text/javascript; charset=utf-8",
        size: found.size,
        open: (part) => openPart(path, part),
        discard: () => undefined,
      };
    },
  };
}

async function hashOf(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

function openPart(path: string, part: FilePart | null): ReadableStream<Uint8Array> {
  const stream = createReadStream(path, part === null ? {} : { start: part.first, end: part.last });
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}
