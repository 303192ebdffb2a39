import { randomBytes, randomUUID } from "node:crypto";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordWrite } from "../changes/record-write.ts";
import type { Transaction } from "../database.ts";
import { writeManagedFile } from "../files/managed-files.ts";
import { pruneLifecycle } from "../lifecycle/prune.ts";
import { createCipher } from "../secrets/cipher.ts";
import { putWorkspaceSecret, removeWorkspaceSecret } from "../secrets/secret-store.ts";
import {
  listGenerations,
  listSecretVersions,
  readContents,
  readGeneration,
} from "./generations.ts";

let test: TestDatabase;
let id: string;
const cipher = createCipher(randomBytes(32));

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());
beforeEach(async () => {
  id = randomUUID();
  await test.sql`
    INSERT INTO workspaces (id, name, runtime, backend, config, intent_actor_name)
    VALUES (${id}, 'w', 'demo', 'process', '{"model":"a"}', 'Ada')`;
});

const text = (content: string) => new TextEncoder().encode(content);
/** One write of a file, and of whatever else belongs to it. */
const write = (
  path: string,
  content: string | null,
  also: (tx: Transaction) => Promise<unknown> = async () => undefined,
) =>
  test.db.transaction(async (tx) => {
    await also(tx);
    const { generation } = await recordWrite(tx, {
      workspaceId: id,
      actor: { kind: "member", name: "Bo" },
      stream: "files",
      isBatch: true,
      changes: [{ kind: "file", name: path }],
      settings: DEFAULT_SETTLE_SETTINGS,
    });
    const bytes = content === null ? null : text(content);
    await writeManagedFile(tx, {
      workspaceId: id,
      path,
      content: bytes,
      generation,
      actorName: "Bo",
    });
    return generation;
  });
const setSecret = (key: string, value: string) => (tx: Transaction) =>
  putWorkspaceSecret(tx, cipher, id, { key, value });

describe("CF4: a generation", () => {
  it("is kept as it was at the commit, whoever wrote first", async () => {
    await write("a.md", "one", setSecret("K", "v1"));
    await write("a.md", "two", setSecret("K", "v2"));
    const [third, second, first] = await listGenerations(test.db, id, { limit: 10 });
    expect(first).toMatchObject({
      generation: { gen: 1, actorName: "Ada", files: {}, secrets: [], config: { model: "a" } },
      merged: [],
    });
    expect(second).toMatchObject({
      generation: { gen: 2, actorName: "Bo", actorKind: "member" },
      merged: [{ kind: "file", names: ["a.md"] }],
    });
    expect(second?.generation.secrets).toEqual([{ key: "K", scope: "workspace", version: 1 }]);
    expect(third?.generation.secrets).toEqual([{ key: "K", scope: "workspace", version: 2 }]);
    const hashes = [second, third].map((one) => one?.generation.files["a.md"] ?? "");
    const contents = await readContents(test.db, id, hashes);
    expect(hashes.map((hash) => new TextDecoder().decode(contents.get(hash)))).toEqual([
      "one",
      "two",
    ]);
  });

  it("is none of a write that was rolled back", async () => {
    const failing = write("a.md", "one", async () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await listGenerations(test.db, id, { limit: 10 })).toHaveLength(1);
  });

  it("keeps the content of a file that was deleted", async () => {
    await write("a.md", "gone soon");
    const hash = (await readGeneration(test.db, id, 2))?.files["a.md"] ?? "";
    await write("a.md", null);
    await test.sql`DELETE FROM managed_files WHERE workspace_id = ${id}`;
    expect((await readGeneration(test.db, id, 3))?.files).toEqual({});
    expect((await readContents(test.db, id, [hash])).get(hash)).toEqual(Buffer.from("gone soon"));
  });

  it("is forgotten after a hundred later ones, with what only it had; the one that runs is kept", async () => {
    await write("a.md", "first");
    const early = (await readGeneration(test.db, id, 2))?.files["a.md"] ?? "";
    await write("a.md", "second");
    const running = (await readGeneration(test.db, id, 3))?.files["a.md"] ?? "";
    await test.sql`UPDATE workspaces SET applied_gen = 3 WHERE id = ${id}`;
    await write("a.md", "third", setSecret("OLD", "v"));
    await test.sql`DELETE FROM workspace_secrets WHERE workspace_id = ${id}`;
    await test.sql`UPDATE workspaces SET desired_gen = 150 WHERE id = ${id}`;
    await pruneLifecycle(test.db);
    const left = await listGenerations(test.db, id, { limit: 100 });
    expect(left.map(({ generation }) => generation.gen)).toEqual([150, 3]);
    expect([...(await readContents(test.db, id, [early, running])).keys()]).toEqual([running]);
    expect(await listSecretVersions(test.db, id)).toEqual([]);
  });
});

describe("CF8: of a secret", () => {
  it("the last ten values are kept, and a version is one value, also after a removal", async () => {
    for (let n = 1; n <= 12; n++) await test.db.transaction(setSecret("K", `value ${n}`));
    await test.db.transaction((tx) => removeWorkspaceSecret(tx, cipher, id, "K"));
    await test.db.transaction(setSecret("K", "again"));
    const kept = (await listSecretVersions(test.db, id)).toSorted((a, b) => a.version - b.version);
    expect(kept.map(({ version }) => version)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(kept.map((one) => cipher.decrypt({ scope: id, key: "K" }, one))).toEqual([
      ...[4, 5, 6, 7, 8, 9, 10, 11, 12].map((n) => `value ${n}`),
      "again",
    ]);
  });

  it("a record that is sealed anew takes the place of the kept one", async () => {
    await test.db.transaction(setSecret("K", "v"));
    const sealed = createCipher(randomBytes(32)).encrypt({ scope: id, key: "K" }, "v");
    await test.sql`UPDATE workspace_secrets SET record = ${Buffer.from(sealed)} WHERE workspace_id = ${id}`;
    const [kept, ...more] = await listSecretVersions(test.db, id);
    expect(more).toEqual([]);
    expect(Buffer.from(kept?.record ?? [])).toEqual(Buffer.from(sealed));
  });
});
