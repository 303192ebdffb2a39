import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Accounts } from "./accounts.ts";
import { placesOf } from "./places.ts";

const isRoot = process.getuid?.() === 0;
let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), "molecule-accounts-"));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const folder = () => path.join(home, "workspaces/.uids");
const take = async (accounts: Accounts, id: string) =>
  (await accounts.prepare(placesOf(home, id), id))?.uid ?? 0;

describe.runIf(isRoot)("the users of workspaces", () => {
  it("are never shared, however many workers give them at once", async () => {
    const workers = [new Accounts(home, true), new Accounts(home, true), new Accounts(home, true)];
    const uids = await Promise.all(
      Array.from({ length: 24 }, (_, n) =>
        take(workers[n % workers.length] as Accounts, randomUUID()),
      ),
    );
    expect(new Set(uids).size).toBe(24);
  });

  it("stay with a workspace whose folder was deleted under it", async () => {
    const accounts = new Accounts(home, true);
    const id = randomUUID();
    const uid = await take(accounts, id);
    await rm(placesOf(home, id).folder, { recursive: true });
    expect(await take(accounts, id)).toBe(uid);
  });

  it("are given back with the workspace: all that killed and paused workers took for it", async () => {
    const accounts = new Accounts(home, true);
    const [gone, kept] = [randomUUID(), randomUUID()];
    const uid = await take(accounts, gone);
    const other = await take(accounts, kept);
    // A paused worker took a second one, an earlier version wrote plain files.
    await symlink(gone, path.join(folder(), String(other + 1)));
    await writeFile(path.join(folder(), String(other + 2)), gone);
    await accounts.release(gone);
    expect(await readdir(folder())).toEqual([String(other)]);
    expect(await take(accounts, randomUUID())).toBe(uid);
  });
});
