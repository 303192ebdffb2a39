import { createHash } from "node:crypto";
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { type Places, workspacesFolder } from "./places.ts";

/** Who an agent's processes belong to. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** First uid that a workspace may have. Far above those of people and services. */
const FIRST_UID = 200_000;
/** Uids of one platform, and how many platforms find a range on one machine. */
const RANGE_SIZE = 10_000;
const RANGES = 60_000;
const LAST_UID = FIRST_UID + RANGES * RANGE_SIZE - 1;

/**
 * Gives every workspace an unprivileged uid of its own when the platform is root; null otherwise: all
 * agents then run as the platform's user. A uid is one symbolic link to the name of its workspace: made
 * exclusively and with its content in one step, so that two workers never give the same one and a worker
 * that is killed leaves none that is nobody's. Each platform of a machine draws from a range of its own:
 * what has a workspace's uid is ended with the workspace, and must not be another platform's agent.
 */
export class Accounts {
  readonly #folder: string;
  readonly #isRoot: boolean;
  readonly #firstUid: number;

  constructor(home: string, isRoot: boolean) {
    const range = createHash("sha256").update(path.resolve(home)).digest().readUInt32BE(0) % RANGES;
    this.#firstUid = FIRST_UID + range * RANGE_SIZE;
    this.#folder = path.join(workspacesFolder(home), ".uids");
    this.#isRoot = isRoot;
  }

  /** The workspace's account, if it has one. */
  async find(places: Places): Promise<Account | null> {
    if (!this.#isRoot) return null;
    const text = await readFile(path.join(places.run, "uid"), "utf8").catch(() => null);
    const uid = Number(text);
    return uid >= FIRST_UID && uid <= LAST_UID ? { uid, gid: uid } : null;
  }

  /** The workspace's folders exist, closed to everybody but its account and the platform. */
  async prepare(places: Places, workspaceId: string): Promise<Account | null> {
    await mkdir(places.run, { recursive: true, mode: 0o700 });
    if (this.#isRoot) {
      // The agent passes through these and owns neither, so it cannot swap what root writes into.
      await chmod(path.dirname(places.folder), 0o711);
      await chmod(places.folder, 0o711);
      await chmod(places.run, 0o700);
    }
    const known = await this.find(places);
    const account = known ?? (this.#isRoot ? await this.#take(places, workspaceId) : null);
    for (const folder of [places.configs, places.workspace, places.home, places.plugins]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (account !== null) await chown(folder, account.uid, account.gid);
    }
    return account;
  }

  /** The uid may be given to another workspace; call it when nothing of this one is left. */
  async release(workspaceId: string): Promise<void> {
    if (!this.#isRoot) return;
    // All of them: a worker killed while it took one has left no note of it in the workspace's folder,
    // and one that was paused meanwhile may have taken a second.
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if ((await this.#ownerOf(name)) !== workspaceId) continue;
      await rm(path.join(this.#folder, name), { force: true });
    }
  }

  /** The workspace that has a uid; empty when it was given back meanwhile. */
  async #ownerOf(name: string): Promise<string> {
    const file = path.join(this.#folder, name);
    // Plain files are of earlier versions.
    return await readlink(file).catch(() => readFile(file, "utf8").catch(() => ""));
  }

  async #take(places: Places, workspaceId: string): Promise<Account> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const names = await readdir(this.#folder);
    const taken = new Set(names.map(Number));
    // Its folder was deleted under it, and the note of its uid with it: it keeps the one it has.
    for (const name of names) {
      if ((await this.#ownerOf(name)) === workspaceId)
        return await this.#note(places, Number(name));
    }
    for (let offset = 0; offset < RANGE_SIZE; offset += 1) {
      const uid = this.#firstUid + offset;
      if (taken.has(uid)) continue;
      try {
        await symlink(workspaceId, path.join(this.#folder, String(uid)));
      } catch (error) {
        if (isCode(error, "EEXIST")) continue;
        throw error;
      }
      return await this.#note(places, uid);
    }
    throw new Error("invariant: fewer than 10 000 workspaces on one machine");
  }

  async #note(places: Places, uid: number): Promise<Account> {
    await writeFile(path.join(places.run, "uid"), String(uid), { mode: 0o600 });
    return { uid, gid: uid };
  }
}

/** True for a system error with this code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
