import { randomUUID } from "node:crypto";
import { findMachine, rememberMachine } from "@molecule/db/lifecycle/machine-memory";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BackendError } from "../provisioning/compute-backend.ts";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import { restartSettings } from "./settings.ts";
import { Sweeper } from "./sweeper.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const never = new AbortController().signal;

async function workspace(): Promise<string> {
  const id = randomUUID();
  await test.sql`INSERT INTO workspaces (id, name, runtime, backend, config)
    VALUES (${id}, 'w', 'demo', 'process', '{}')`;
  return id;
}

it("G11 what was fenced is removed without a listing, and tried again until it is gone", async () => {
  const backend = new FakeBackend();
  Object.assign(backend.capabilities, { list: false });
  backend.list = () => Promise.reject(new Error("invariant: nobody asks for a list"));
  const sweeper = new Sweeper({
    db: test.db,
    backends: [backend],
    settings: restartSettings({
      scale: 1,
      leaseMs: 15_000,
      pollMs: 1_000,
      concurrency: 1,
      bootTimeoutMs: null,
    }),
    log: silent,
  });
  try {
    const workspaceId = await workspace();
    const machine = { workspaceId, attemptNo: 1, providerId: `m-${workspaceId}`, address: null };
    await test.db.transaction((tx) => rememberMachine(tx, "process", machine));
    await sweeper.sweep(never);
    expect(await findMachine(test.db, "process", { workspaceId, attemptNo: 1 })).not.toBeNull();
    await test.sql`UPDATE machines SET fenced_at = cp_now() WHERE workspace_id = ${workspaceId}`;
    const refusal = { code: "stop_failed", sentence: "It stays.", next: "Wait." } as const;
    backend.before("remove", () => {
      throw new BackendError(refusal, { isRetryable: true });
    });
    await sweeper.sweep(never);
    expect(await findMachine(test.db, "process", { workspaceId, attemptNo: 1 })).not.toBeNull();
    backend.before("remove", null);
    await sweeper.sweep(never);
    expect(await findMachine(test.db, "process", { workspaceId, attemptNo: 1 })).toBeNull();
  } finally {
    await sweeper.stop();
  }
});

it("remembers one machine of an attempt: what was asked for, until it has a name, and the latest", async () => {
  const workspaceId = await workspace();
  const remember = (attemptNo: number, providerId: string) =>
    test.db.transaction((tx) =>
      rememberMachine(tx, "process", { workspaceId, attemptNo, providerId, address: null }),
    );
  const found = async (attemptNo: number | null) =>
    (await findMachine(test.db, "process", { workspaceId, attemptNo }))?.providerId ?? null;
  await remember(1, `asked:${workspaceId}`);
  expect(await found(1)).toBe(`asked:${workspaceId}`);
  await remember(1, `one-${workspaceId}`);
  expect([await found(1), await found(null)]).toEqual([`one-${workspaceId}`, `one-${workspaceId}`]);
  // A service with one name for all machines of a workspace.
  await remember(2, `one-${workspaceId}`);
  expect([await found(1), await found(2)]).toEqual([null, `one-${workspaceId}`]);
  await test.sql`UPDATE machines SET removed_at = cp_now() WHERE workspace_id = ${workspaceId}`;
  expect(await found(null)).toBeNull();
  await remember(2, `one-${workspaceId}`);
  expect(await found(2)).toBe(`one-${workspaceId}`);
});
