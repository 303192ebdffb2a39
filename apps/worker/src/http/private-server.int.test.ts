import { randomUUID } from "node:crypto";
import { WORKER_SIGNATURE_HEADER } from "@molecule/contracts/worker-api";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import { FakePlatform } from "../restart/fake-platform.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import { createOperations } from "./operations.ts";
import { type PrivateServer, startPrivateServer } from "./private-server.ts";
import { sign } from "./signature.ts";

const KEY = "a key of the test";
const NOW = 1_800_000_000;
let test: TestDatabase;
let server: PrivateServer;
let platform: FakePlatform;
const backend = new FakeBackend();

beforeAll(async () => {
  test = await createTestDatabase();
  platform = new FakePlatform({ db: test.db, sql: test.sql, backend, agentsBeat: false });
  const operations = createOperations({
    db: test.db,
    cipher: platform.sources.cipher,
    backendOf: (kind) => (kind === backend.kind ? backend : null),
    terminals: { list: () => [] },
  });
  server = await startPrivateServer({
    operations,
    key: KEY,
    nowSeconds: () => NOW,
    log: SILENT_LOG,
  });
});
afterAll(async () => {
  await server.stop();
  await platform.stop();
  await test.close();
});

async function call(
  operation: string,
  input: unknown,
  over: { key?: string; seconds?: number; header?: string; tamper?: string } = {},
) {
  const path = `/v1/${operation}`;
  const body = JSON.stringify(input);
  const header = over.header ?? sign(over.key ?? KEY, { seconds: over.seconds ?? NOW, path, body });
  const response = await fetch(server.url + path, {
    method: "POST",
    body: over.tamper ?? body,
    headers: { [WORKER_SIGNATURE_HEADER]: header },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
async function workspaceIn(phase: string): Promise<string> {
  const id = await platform.createWorkspace();
  await test.sql`
    UPDATE workspaces SET phase = ${phase}::phase, deadline_at = now(), next_action_at = NULL WHERE id = ${id}`;
  return id;
}
const file = (workspaceId: string) => ({ workspaceId, root: "/workspace", path: "a.txt" });

it("writes, reads, lists and deletes a live file", async () => {
  const id = await workspaceIn("READY");
  const content = Buffer.from("hello").toString("base64");
  expect(await call("files.write", { ...file(id), content })).toMatchObject({ body: { size: 5 } });
  expect(await call("files.read", file(id))).toMatchObject({ body: { content, size: 5 } });
  const listed = await call("files.list", { ...file(id), path: "", depth: 1 });
  expect(listed.body).toEqual({
    entries: [{ path: "a.txt", size: 5, dir: false }],
    truncated: false,
  });
  expect((await call("files.delete", file(id))).status).toBe(200);
  expect(await call("files.read", file(id))).toMatchObject({
    status: 404,
    body: { code: "not_found" },
  });
});

it.each(["NEW", "STOPPING", "CREATING"])(
  "says in %s that the workspace restarts",
  async (phase) => {
    const id = await workspaceIn(phase);
    expect(await call("files.read", file(id))).toMatchObject({
      status: 503,
      body: { code: "workspace_restarting", details: { restarting: true, attempt: 0 } },
    });
  },
);

it("says what a restart waits for", async () => {
  const id = await workspaceIn("STOPPING");
  const failure = { code: "engine_unavailable", sentence: "The engine is away.", next: "Wait." };
  await test.sql`UPDATE workspaces SET failure = ${JSON.stringify(failure)}::text::jsonb WHERE id = ${id}`;
  expect(await call("files.read", file(id))).toMatchObject({
    status: 503,
    body: { code: "workspace_restarting", error: "The engine is away.", next: "Wait." },
  });
});

it.each([
  ["another key", { key: "wrong" }],
  ["an old signature", { seconds: NOW - 31 }],
  ["a signature from the future", { seconds: NOW + 31 }],
  ["another body", { tamper: '{"workspaceId":"x"}' }],
  ["no signature", { header: "" }],
])("refuses %s", async (_what, over) => {
  const id = await workspaceIn("READY");
  expect(await call("files.read", file(id), over)).toMatchObject({
    status: 401,
    body: { code: "unauthenticated" },
  });
});

it("answers bad input, unknown operations and unknown workspaces as what they are", async () => {
  expect((await call("files.read", { workspaceId: 1 })).status).toBe(400);
  expect((await call("toString", {})).status).toBe(404);
  expect((await call("files.read", file(randomUUID()))).status).toBe(404);
  const id = await workspaceIn("READY");
  await platform.intent(id, "delete");
  expect((await call("files.read", file(id))).status).toBe(410);
});

it("gives the last lines without the workspace's secrets", async () => {
  const id = await workspaceIn("READY");
  await platform.writeSecret(id, "NAME_OF_FAKE", "fake instance");
  await backend.create(
    {
      workspaceId: id,
      attemptNo: 1,
      name: "w",
      runtime: "demo",
      tier: 3,
      createToken: "t",
      env: {},
      files: [],
      removedFiles: [],
    },
    new AbortController().signal,
  );
  expect((await call("logs.tail", { workspaceId: id, lines: 5 })).body).toEqual({
    lines: ["•••••• of attempt 1"],
  });
});
