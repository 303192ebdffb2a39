import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Header, type Pack, pack } from "tar-stream";

/** What goes into a runtime image. */
export interface ImageContent {
  readonly dockerfile: Buffer;
  readonly runtimeBundle: Buffer;
  /** The folder with the agent's `node_modules`; null for a runtime that needs none. */
  readonly agent: { readonly name: string; readonly folder: string } | null;
}

type HeaderOf = Partial<Header> & Pick<Header, "name">;

const ROOT_OWNED = { uid: 0, gid: 0, uname: "", gname: "" } as const;
// A fixed time: the builder's cache compares archives, not clocks.
const MTIME = new Date(0);

/** An agent's package takes the builder seconds to read; a person sees that it goes on. */
const REPORT_EVERY_BYTES = 50_000_000;

/** The build context as a tar stream, read from the disk as fast as it is consumed. */
export function buildContext(
  content: ImageContent,
  onProgress: (line: string) => void = () => undefined,
): Readable {
  const archive = pack();
  let bytes = 0;
  const onFile = (size: number) => {
    const before = Math.floor(bytes / REPORT_EVERY_BYTES);
    bytes += size;
    if (Math.floor(bytes / REPORT_EVERY_BYTES) === before) return;
    onProgress(`Copying the agent's package: ${Math.round(bytes / 1e6)} MB`);
  };
  fill(archive, content, onFile).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return Readable.from(archive);
}

async function fill(
  archive: Pack,
  content: ImageContent,
  onFile: (size: number) => void,
): Promise<void> {
  await add(archive, { name: "Dockerfile", mode: 0o644 }, content.dockerfile);
  await add(archive, { name: "runtime.mjs", mode: 0o644 }, content.runtimeBundle);
  await add(archive, { name: "agents/", type: "directory", mode: 0o755 });
  if (content.agent === null) return;
  await addTree(archive, content.agent.folder, `agents/${content.agent.name}`, onFile);
}

async function addTree(
  archive: Pack,
  source: string,
  target: string,
  onFile: (size: number) => void,
): Promise<void> {
  const info = await lstat(source);
  if (info.isDirectory()) {
    await add(archive, { name: `${target}/`, type: "directory", mode: 0o755 });
    for (const name of (await readdir(source)).sort()) {
      await addTree(archive, path.join(source, name), `${target}/${name}`, onFile);
    }
  } else if (info.isSymbolicLink()) {
    const linkname = await readlink(source);
    await add(archive, { name: target, type: "symlink", linkname, mode: 0o777 });
  } else if (info.isFile()) {
    const mode = (info.mode & 0o111) === 0 ? 0o644 : 0o755;
    const header = { ...ROOT_OWNED, mtime: MTIME, name: target, mode, size: info.size };
    // A writable stream of another make than Node's, with the same manners.
    await pipeline(createReadStream(source), archive.entry(header) as unknown as Writable);
    onFile(info.size);
  }
}

function add(archive: Pack, header: HeaderOf, body: Buffer = Buffer.alloc(0)): Promise<void> {
  return new Promise((resolve, reject) => {
    const full = { ...ROOT_OWNED, mtime: MTIME, ...header };
    archive.entry(full, body, (error) => (error ? reject(error) : resolve()));
  });
}

/** The content of the files that an image is made of. */
export async function readImageContent(
  files: { readonly dockerfile: string; readonly runtimeBundle: string },
  agent: ImageContent["agent"],
): Promise<ImageContent> {
  const [dockerfile, runtimeBundle] = await Promise.all([
    readFile(files.dockerfile),
    readFile(files.runtimeBundle),
  ]);
  return { dockerfile, runtimeBundle, agent };
}
