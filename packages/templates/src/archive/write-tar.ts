import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { pack } from "tar-stream";

const compress = promisify(gzip);

/** The files as a `.tar.gz`, by path; the same files are the same bytes, whenever it is made. */
export async function writeTarGz(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const tar = pack();
  const chunks: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of tar) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  })();
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, content] of sorted) {
    const header = { name, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 };
    await new Promise<void>((resolve, reject) => {
      tar.entry(header, Buffer.from(content), (error) =>
        error === null || error === undefined ? resolve() : reject(error),
      );
    });
  }
  tar.finalize();
  await reading;
  return await compress(Buffer.concat(chunks), { level: 9 });
}
