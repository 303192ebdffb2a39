import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MAX_MANAGED_FILE_BYTES, parseRelativePath } from "@molecule/domain/paths";
import { extract, type Header, pack } from "tar-stream";
import type { ProjectedFile } from "../../provisioning/compute-backend.ts";
import { AGENT_UID } from "./create-options.ts";

/** Bounds on what one workspace's `/configs` may make the worker read. */
const MAX_ENTRIES = 20_000;
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;

const OWNED = { uid: AGENT_UID, gid: AGENT_UID, uname: "", gname: "" } as const;

/**
 * A tar archive of the files, owned by the agent's uid. Every folder on the way is an entry of its
 * own: folders that the engine makes up while unpacking would belong to root.
 */
export function packFiles(files: readonly ProjectedFile[]): Promise<Buffer> {
  const folders = new Set<string>();
  for (const file of files) {
    const segments = file.path.split("/");
    for (let depth = 1; depth < segments.length; depth += 1) {
      folders.add(segments.slice(0, depth).join("/"));
    }
  }
  const archive = pack();
  // A fixed time: the same snapshot makes the same archive.
  const mtime = new Date(0);
  for (const name of [...folders].sort()) {
    archive.entry({ ...OWNED, name: `${name}/`, type: "directory", mode: 0o755, mtime });
  }
  for (const file of files) {
    const header = { ...OWNED, name: file.path, type: "file", mode: file.mode, mtime } as const;
    archive.entry(header, Buffer.from(file.content));
  }
  archive.finalize();
  return collect(archive);
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * The managed files in the engine's archive of `/configs`, by relative path: regular files of at
 * most 1 MiB with a usable name and no dot-segment. The archive was written by an agent, so
 * everything else is left out rather than refused.
 * @throws Error when the archive is larger than any honest one.
 */
export async function readManagedFiles(
  archive: NodeJS.ReadableStream,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const reader = extract();
  let entries = 0;
  let bytes = 0;
  reader.on("entry", (header, body, next) => {
    entries += 1;
    bytes += header.size;
    if (entries > MAX_ENTRIES || bytes > MAX_TOTAL_BYTES) {
      next(new Error("the configuration folder is too large to read"));
      return;
    }
    const path = managedPathOf(header);
    if (path === null) {
      body.on("end", () => next());
      body.resume();
      return;
    }
    const chunks: Buffer[] = [];
    body.on("data", (chunk) => {
      if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    });
    body.on("end", () => {
      files.set(path, Buffer.concat(chunks));
      next();
    });
  });
  // A writable stream of another make than Node's, with the same manners.
  await pipeline(archive, reader as unknown as Writable);
  return files;
}

/** The path below the archived folder, whose own name is the archive's first segment. */
function managedPathOf(header: Header): string | null {
  if (header.type !== "file" || header.size > MAX_MANAGED_FILE_BYTES) return null;
  const relative = header.name.split("/").slice(1).join("/");
  if (relative.split("/").some((segment) => segment.startsWith("."))) return null;
  try {
    return parseRelativePath(relative);
  } catch {
    return null;
  }
}
