import { DomainError } from "@molecule/domain/errors";
import type { FileRoot } from "@molecule/domain/sets";
import type { LiveFiles } from "../provisioning/compute-backend.ts";
import { toDomainError } from "./errors.ts";
import type { Route } from "./pooled-connection.ts";
import { newWriteProgress } from "./sftp-files.ts";
import type { SshConnection } from "./ssh-connection.ts";
import type { TunnelTarget } from "./target.ts";
import type { TunnelPool } from "./tunnel-pool.ts";

/** Where the files of a workspace are. */
export interface RemotePlace {
  /** Signed in as the agent's own user: nothing beyond its reach is ever touched. */
  readonly target: TunnelTarget;
  readonly attemptNo: number;
  /** Absolute, without a slash at its end. */
  folderOf(root: FileRoot): string;
}

/** Asked at every operation; null while no machine of the workspace runs. */
export type FindPlace = (workspaceId: string) => Promise<RemotePlace | null>;

/** Limits and hidden names are those of every backend. Source: wire contract §9.4. */
const MAX_FILE_BYTES = 25 * 1024 * 1024;
const MAX_LISTED = 2_000;
const HIDDEN: ReadonlySet<string> = new Set([".git", "node_modules", "__pycache__", ".DS_Store"]);

/** Live files of machines: SFTP over the shared connection, two round trips for a small file. */
export function createRemoteFiles<R extends Route>(
  pool: TunnelPool<R, SshConnection>,
  find: FindPlace,
): LiveFiles {
  const run = async <T>(
    workspaceId: string,
    root: FileRoot,
    use: (connection: SshConnection, folder: string, isReplay: boolean) => Promise<T>,
  ): Promise<T> => {
    const place = await find(workspaceId);
    if (place === null) {
      throw new DomainError("not_found", "This workspace is not running.", {
        next: "Try again when it is online.",
      });
    }
    const { target, attemptNo } = place;
    try {
      return await pool.run({ target, attemptNo, isIdempotent: true }, (connection, replays) =>
        use(connection, place.folderOf(root), replays > 0),
      );
    } catch (error) {
      throw toDomainError(error);
    }
  };
  return {
    list: (workspaceId, { root, path, depth }) =>
      run(workspaceId, root, (connection, folder) =>
        listTree(connection, path === "" ? folder : `${folder}/${path}`, depth),
      ),
    read: (workspaceId, root, path) =>
      run(workspaceId, root, async (connection, folder) => {
        const content = await connection.files.read(`${folder}/${path}`, MAX_FILE_BYTES);
        if (content === null) throw tooLarge();
        return content;
      }),
    write: async (workspaceId, root, { path, content }) => {
      if (content.length > MAX_FILE_BYTES) throw tooLarge();
      const progress = newWriteProgress();
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      await run(workspaceId, root, (connection, folder) =>
        connection.files.write(`${folder}/${path}`, bytes, progress),
      );
    },
    remove: (workspaceId, root, path) =>
      run(workspaceId, root, (connection, folder, isReplay) =>
        connection.files.remove(`${folder}/${path}`, isReplay),
      ),
  };
}

/** One level after the other, the folders of a level at once. */
async function listTree(
  connection: SshConnection,
  folder: string,
  depth: number,
): Promise<{ entries: { path: string; size: number; dir: boolean }[]; truncated: boolean }> {
  const entries: { path: string; size: number; dir: boolean }[] = [];
  let level = [""];
  for (let left = depth; left > 0 && level.length > 0 && entries.length < MAX_LISTED; left -= 1) {
    const listed = await Promise.all(
      level.map(async (prefix) => {
        const at = prefix === "" ? folder : `${folder}/${prefix}`;
        // A folder may be gone, or be closed to the agent itself, by the time it is opened.
        const found = connection.files.list(at);
        const names = prefix === "" ? await found : await found.catch(onlyFileErrors);
        return names
          .filter(({ name }) => !HIDDEN.has(name))
          .map(({ name, size, isFolder }) => ({
            path: prefix === "" ? name : `${prefix}/${name}`,
            size,
            dir: isFolder,
          }));
      }),
    );
    entries.push(...listed.flat());
    level = listed.flat().flatMap(({ path, dir }) => (dir ? [path] : []));
  }
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { entries: entries.slice(0, MAX_LISTED), truncated: entries.length > MAX_LISTED };
}

function onlyFileErrors(error: unknown): [] {
  if ((error as { kind?: unknown }).kind === "file") return [];
  throw error;
}

function tooLarge(): DomainError {
  return new DomainError("payload_too_large", "The file is larger than 25 MB.");
}
