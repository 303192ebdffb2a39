import { createCipheriv, randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createCipher, recordPrefix } from "./cipher.ts";
import { readInboundSecret, sealInboundSecret } from "./inbound-secret.ts";
import { writeKeyFile } from "./key-file.ts";
import { keyRingText, loadCipher, readKeyRing } from "./key-ring.ts";
import { type RotationInput, rotateKey } from "./rotate-key.ts";
import { SEALED_COLUMNS } from "./sealed-columns.ts";
import { putGlobalSecret, putWorkspaceSecret } from "./secret-store.ts";
import { loadWorkspaceEnv } from "./workspace-env.ts";

/** Bytes that are no sealed records. */
const OTHER_BYTES = [
  "boot_tokens.exchange_sha256",
  "boot_tokens.token_sha256",
  "imported_template_files.content",
  "kept_file_chunks.bytes",
  "managed_file_versions.content",
  "managed_files.content",
  "memories.content_sha256",
  "plugin_package_files.content",
  "sessions.token_sha256",
  "sign_in_links.token_sha256",
  "terminal_tickets.session_sha256",
  "terminal_tickets.token_sha256",
  "workspace_tokens.token_sha256",
];

let test: TestDatabase;
let folder: string;
let keyFile: string;
let first: Uint8Array;
let id: string;

beforeAll(async () => {
  test = await createTestDatabase();
  folder = mkdtempSync(path.join(tmpdir(), "rotation-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await test.close();
});

beforeEach(async () => {
  await test.sql`DELETE FROM workspaces`;
  await test.sql`DELETE FROM global_secrets`;
  await test.sql`DELETE FROM global_secret_versions`;
  keyFile = path.join(folder, `${randomUUID()}.key`);
  first = randomBytes(32);
  writeKeyFile(keyFile, keyRingText([first]));
  id = randomUUID();
  const cipher = createCipher(first);
  const inbound = sealInboundSecret(cipher, id, "inbound-1");
  await test.sql`
    INSERT INTO workspaces (id, name, runtime, backend, config, phase, inbound_secret)
    VALUES (${id}, 'w', 'demo', 'process', '{}', 'FAILED', ${inbound})`;
  await test.db.transaction(async (tx) => {
    await putGlobalSecret(tx, cipher, { key: "SHARED", value: "shared-1" });
    await putWorkspaceSecret(tx, cipher, id, { key: "OWN_0", value: "before" });
    for (let n = 0; n < 5; n += 1) {
      await putWorkspaceSecret(tx, cipher, id, { key: `OWN_${n}`, value: `own-${n}` });
    }
  });
});

const rotate = (over: Partial<RotationInput> = {}) =>
  rotateKey({
    url: test.url,
    source: { keyFile },
    tokenKeyFile: path.join(folder, "token.key"),
    ...over,
  });
const ring = () => readKeyRing({ keyFile });
const read = async () => {
  const cipher = loadCipher({ keyFile });
  const { env, unreadable } = await loadWorkspaceEnv(test.db, cipher, id);
  return { env, unreadable, inbound: await readInboundSecret(test.db, cipher, id) };
};
const ALL = {
  env: {
    SHARED: "shared-1",
    ...Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`OWN_${n}`, `own-${n}`])),
  },
  unreadable: [],
  inbound: "inbound-1",
};

it("goes through every column of sealed records that the schema has", async () => {
  const rows = await test.sql`
    SELECT table_name || '.' || column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type = 'bytea'`;
  const known = [
    ...SEALED_COLUMNS.map(({ table, record }) => `${table}.${record}`),
    ...OTHER_BYTES,
  ];
  expect(rows.map(({ name }) => name).filter((name) => !known.includes(String(name)))).toEqual([]);
});

it("SE5 leaves nothing under the old key, no value changed and no version counted", async () => {
  const versions = () =>
    test.sql`SELECT key, version, updated_at FROM workspace_secrets ORDER BY key`;
  const before = await versions();
  expect(await rotate()).toMatchObject({ kind: "rotated", unreadable: [], isDropped: true });
  expect(ring()).toHaveLength(1);
  expect(Buffer.from(ring()[0]).equals(Buffer.from(first))).toBe(false);
  expect(await read()).toEqual(ALL);
  expect(await versions()).toEqual(before);
  const old = Buffer.from(recordPrefix(first)).toString("hex");
  for (const { table } of SEALED_COLUMNS) {
    const rows = await test.sql`SELECT to_jsonb(t)::text AS row FROM ${test.sql(table)} t`;
    expect(rows.filter(({ row }) => String(row).includes(old))).toEqual([]);
  }
});

it("SE5 that was killed half-way is finished by the next one, with the key it had made", async () => {
  const killed = rotate({
    onProgress: (moved) => {
      if (moved > 0) throw new Error("killed");
    },
  });
  await expect(killed).rejects.toThrow("killed");
  const [made, ...others] = ring();
  expect(others).toHaveLength(1);
  expect(await read()).toEqual(ALL);
  expect(await rotate()).toMatchObject({ kind: "resumed", isDropped: true });
  expect(ring()).toEqual([made]);
  expect(await read()).toEqual(ALL);
});

it("SE6 seals what was imported in another form, and says what no key opens", async () => {
  const nonce = randomBytes(12);
  const old = createCipheriv("aes-256-gcm", first, nonce);
  const record = Buffer.concat([nonce, old.update("imported"), old.final(), old.getAuthTag()]);
  const put = (key: string, bytes: Uint8Array, version: number) => test.sql`
    INSERT INTO workspace_secrets (workspace_id, key, record, encryption_version)
    VALUES (${id}, ${key}, ${bytes}, ${version})`;
  await put("SEALED_1", record, 1);
  await put("PLAIN", Buffer.from("plain"), 0);
  await put("LOST", createCipher(randomBytes(32)).encrypt({ scope: id, key: "LOST" }, "x"), 2);
  expect(await rotate()).toMatchObject({ unreadable: [`${id}:LOST`], isDropped: true });
  expect(await read()).toEqual({
    ...ALL,
    env: { ...ALL.env, SEALED_1: "imported", PLAIN: "plain" },
    unreadable: ["workspace:LOST"],
  });
  const [rest] = await test.sql`
    SELECT count(*)::int AS count FROM workspace_secrets WHERE encryption_version <> 2`;
  expect(rest?.count).toBe(0);
});

it("is one at a time, waits for who sealed before it began, and takes that record along", async () => {
  const cipher = loadCipher({ keyFile });
  let finish: () => void = () => undefined;
  const mayCommit = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let isSealed = false;
  const writer = test.db.transaction(async (tx) => {
    await putWorkspaceSecret(tx, cipher, id, { key: "LATE", value: "late-1" });
    isSealed = true;
    await mayCommit;
  });
  await waitUntil("the writer has sealed", () => isSealed);
  let walks = 0;
  const rotation = rotate({
    onProgress: () => {
      walks += 1;
    },
  });
  await waitUntil("the first walk is over", () => walks > SEALED_COLUMNS.length);
  expect(ring()).toHaveLength(2);
  await expect(rotate()).rejects.toMatchObject({ code: "conflict" });
  finish();
  await writer;
  await rotation;
  expect(await read()).toEqual({ ...ALL, env: { ...ALL.env, LATE: "late-1" } });
});

it("makes and drops no key that somebody else gives", async () => {
  const [now] = ring();
  const given = Buffer.from(now).toString("base64");
  await expect(rotate({ source: { key: given, keyFile } })).rejects.toMatchObject({
    code: "bad_request",
  });
  const next = randomBytes(32);
  const both = `${next.toString("base64")},${given}`;
  const done = await rotate({ source: { key: both, keyFile } });
  expect(done).toMatchObject({ isDropped: false, unreadable: [] });
  const { env } = await loadWorkspaceEnv(test.db, createCipher(next), id);
  expect(env).toEqual(ALL.env);
  expect(readFileSync(keyFile, "utf8")).toBe(keyRingText([now]));
});

it("SE6 leaves an unknown version alone and shows it as one to enter again", async () => {
  await test.sql`ALTER TABLE workspace_secrets DROP CONSTRAINT workspace_secret_version_known`;
  await test.sql`UPDATE workspace_secrets SET encryption_version = 99 WHERE key = 'OWN_1'`;
  expect(await rotate()).toMatchObject({ unreadable: [`${id}:OWN_1`] });
  expect((await read()).unreadable).toEqual(["workspace:OWN_1"]);
});
