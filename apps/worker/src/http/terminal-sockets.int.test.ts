import { randomUUID } from "node:crypto";
import { type TerminalAsk, WORKER_TERMINAL_PATH } from "@molecule/contracts/terminal";
import type { TerminalNotice } from "@molecule/contracts/terminal-protocol";
import { WORKER_SIGNATURE_HEADER } from "@molecule/contracts/worker-api";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { BackendError } from "../provisioning/compute-backend.ts";
import { FakeBackend } from "../provisioning/fake-backend.ts";
import { FakePlatform } from "../restart/fake-platform.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import { diagnoseTerminal } from "../terminal/diagnose-terminal.ts";
import { TerminalSessions } from "../terminal/terminal-sessions.ts";
import { createOperations } from "./operations.ts";
import { type PrivateServer, startPrivateServer } from "./private-server.ts";
import { sign } from "./signature.ts";
import { createTerminalSockets } from "./terminal-sockets.ts";

const KEY = "a key of the test";
const NOW = 1_800_000_000;
let test: TestDatabase;
let platform: FakePlatform;
let backend: FakeBackend;
let server: PrivateServer;
let terminals: TerminalSessions;

beforeAll(async () => {
  test = await createTestDatabase();
  backend = new FakeBackend();
  platform = new FakePlatform({ db: test.db, sql: test.sql, backend, agentsBeat: false });
});
afterAll(async () => {
  await platform.stop();
  await test.close();
});
beforeEach(async () => {
  const backendOf = (kind: string) => (kind === backend.kind ? backend : null);
  terminals = new TerminalSessions({
    db: test.db,
    backendOf,
    workerId: "worker",
    idleMs: 900_000,
    nowMs: () => Date.now(),
    log: SILENT_LOG,
    openMs: 500,
  });
  server = await startPrivateServer({
    operations: createOperations({
      db: test.db,
      cipher: platform.sources.cipher,
      backendOf,
      terminals,
    }),
    sockets: createTerminalSockets(terminals),
    key: KEY,
    nowSeconds: () => NOW,
    log: SILENT_LOG,
  });
});
afterEach(async () => {
  await server.stop();
  const { terminal } = backend;
  terminal.isOff = false;
  terminal.isRunning = () => true;
  terminal.before = async () => undefined;
  terminal.shells.length = 0;
});

async function workspaceIn(phase: string): Promise<string> {
  const id = await platform.createWorkspace();
  await test.sql`
    UPDATE workspaces SET phase = ${phase}::phase, deadline_at = now(), next_action_at = NULL WHERE id = ${id}`;
  return id;
}

function open(workspaceId: string, over: Partial<TerminalAsk> = {}, signature?: string) {
  const ask: TerminalAsk = {
    workspaceId,
    attemptNo: null,
    session: null,
    cols: 80,
    rows: 24,
    actor: { kind: "member", name: "Ada" },
    ...over,
  };
  const path = `${WORKER_TERMINAL_PATH}?${new URLSearchParams({ ask: JSON.stringify(ask) })}`;
  const header = signature ?? sign(KEY, { seconds: NOW, path, body: "" });
  const socket = new WebSocket(server.url.replace("http", "ws") + path, {
    headers: { [WORKER_SIGNATURE_HEADER]: header },
  });
  const state = { output: "", notices: [] as TerminalNotice[], closedWith: 0, status: 0 };
  socket.on("message", (data, isBinary) => {
    if (isBinary) state.output += String(data);
    else state.notices.push(JSON.parse(String(data)) as TerminalNotice);
  });
  socket.on("close", (code) => {
    state.closedWith = code;
  });
  socket.on("unexpected-response", (_request, response) => {
    state.status = response.statusCode ?? 0;
    socket.terminate();
  });
  socket.on("error", () => undefined);
  const noticed = (kind: TerminalNotice["kind"]) =>
    waitUntil(`it hears ${kind}`, () => state.notices.find((one) => one.kind === kind));
  return { socket, state, noticed };
}

async function endOf(workspaceId: string, over: Partial<TerminalAsk> = {}) {
  const { state, noticed } = open(workspaceId, over);
  const notice = await noticed("end");
  await waitUntil("it is closed", () => state.closedWith !== 0);
  return notice.kind === "end" ? { ...notice, code: state.closedWith } : null;
}

it("opens a shell, tells its stages, and records who opened it and how it ended", async () => {
  const id = await workspaceIn("READY");
  const { socket, state, noticed } = open(id);
  await noticed("ready");
  expect(state.notices.slice(0, 2)).toEqual([
    { kind: "stage", stage: "reaching" },
    { kind: "stage", stage: "opening" },
  ]);
  socket.send(Buffer.from("echo hi\r"), { binary: true });
  await waitUntil("it echoes", () => state.output.includes("echo hi"));
  socket.send(Buffer.from("exit 3\r"), { binary: true });
  expect(await noticed("end")).toMatchObject({ end: "shell_ended", exitCode: 3 });
  const told = await waitUntil("both are recorded", async () => {
    const rows = await test.sql`
      SELECT summary FROM activity WHERE workspace_id = ${id} AND summary LIKE '%terminal%' ORDER BY seq`;
    return rows.length === 2 ? rows.map((row) => String(row.summary)) : null;
  });
  expect(told[0]).toBe("Ada opened a terminal.");
  expect(told[1]).toMatch(
    /^The terminal that Ada opened was open for \d+ s\. The shell has ended\.$/,
  );
});

it("shows a viewer that comes back the living shell with what it printed, and no other workspace's", async () => {
  const id = await workspaceIn("READY");
  const first = open(id);
  const ready = await first.noticed("ready");
  const session = ready.kind === "ready" ? ready.session : "";
  first.socket.terminate();
  await waitUntil("nobody looks", () => terminals.list(id)[0]?.viewers === 0);
  backend.terminal.shells[0]?.print("printed meanwhile");
  const second = open(id, { session });
  expect(await second.noticed("ready")).toMatchObject({ isNew: false, session });
  await waitUntil("it is shown", () => second.state.output === "printed meanwhile");
  expect(backend.terminal.shells).toHaveLength(1);
  const other = await workspaceIn("READY");
  expect(await endOf(other, { session })).toMatchObject({ end: "gone" });
  expect(await endOf(id, { session: "worker.none" })).toMatchObject({ end: "gone" });
});

it("says by name why there is no terminal, and asks no backend where that is known before", async () => {
  const ready = await workspaceIn("READY");
  expect(await endOf(randomUUID())).toMatchObject({ end: "gone", code: 4404 });
  expect(await endOf(await workspaceIn("CREATING"))).toMatchObject({ end: "starting", code: 4425 });
  expect(await endOf(ready, { attemptNo: 99 })).toMatchObject({ end: "superseded", code: 4409 });
  backend.terminal.isOff = true;
  expect(await endOf(ready)).toMatchObject({ end: "off", code: 4501 });
  expect(backend.terminal.shells).toEqual([]);
  backend.terminal.isOff = false;
  backend.terminal.isRunning = () => false;
  expect(await endOf(ready)).toMatchObject({ end: "not_running", code: 4404 });
  await platform.intent(ready, "delete");
  expect(await endOf(ready)).toMatchObject({ end: "removed" });
});

it("tells the backend's own cause, and that it took too long", async () => {
  const id = await workspaceIn("READY");
  const engineAway = "The Docker engine does not answer.";
  backend.terminal.before = async () => {
    throw new BackendError(
      { code: "engine_unavailable", sentence: engineAway, next: "Start the engine." },
      { isRetryable: true },
    );
  };
  expect(await endOf(id)).toMatchObject({
    end: "unreachable",
    sentence: engineAway,
    next: "Start the engine.",
  });
  backend.terminal.before = () => new Promise(() => undefined);
  expect(await endOf(id)).toMatchObject({ end: "timed_out", code: 4504 });
});

it("opens no more terminals of one workspace than it may have, also when they are asked for at once", async () => {
  const id = await workspaceIn("READY");
  const all = Array.from({ length: 6 }, () => open(id));
  await waitUntil("each is decided", () =>
    all.every(({ state }) => state.notices.some(({ kind }) => kind === "ready" || kind === "end")),
  );
  const ends = all.flatMap(({ state }) => state.notices.filter(({ kind }) => kind === "end"));
  expect(ends).toMatchObject([{ end: "too_many" }, { end: "too_many" }]);
  expect(terminals.list(id)).toHaveLength(4);
});

it("closes what belongs to an attempt that is over, and everything when the worker stops", async () => {
  const id = await workspaceIn("READY");
  const old = open(id);
  await old.noticed("ready");
  await test.sql`UPDATE workspaces SET phase = 'STOPPING', deadline_at = now() WHERE id = ${id}`;
  await terminals.check();
  expect(await old.noticed("end")).toMatchObject({ end: "superseded" });
  const other = open(await workspaceIn("READY"));
  await other.noticed("ready");
  await server.stop();
  expect(await other.noticed("end")).toMatchObject({ end: "worker_stopping" });
  expect(backend.terminal.shells.every((shell) => shell.isClosed)).toBe(true);
});

it("refuses an upgrade without the key's signature, and one for anything else", async () => {
  const id = await workspaceIn("READY");
  const forged = open(
    id,
    {},
    sign("another key", { seconds: NOW, path: "/v1/terminal", body: "" }),
  );
  await waitUntil("it is refused", () => forged.state.status === 401);
  const path = "/v1/other";
  const socket = new WebSocket(server.url.replace("http", "ws") + path, {
    headers: { [WORKER_SIGNATURE_HEADER]: sign(KEY, { seconds: NOW, path, body: "" }) },
  });
  const status = new Promise((resolve) => {
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
  });
  socket.on("error", () => undefined);
  expect(await status).toBe(404);
  expect(backend.terminal.shells).toEqual([]);
});

it("diagnoses with the stages of the wire contract's local mode, up to the first that fails", async () => {
  const backendOf = (kind: string) => (kind === backend.kind ? backend : null);
  const names = async (id: string) => {
    const { steps } = await diagnoseTerminal({ db: test.db, backendOf }, id);
    return steps.map(({ name, ok }) => `${name} ${ok}`);
  };
  const id = await workspaceIn("READY");
  expect(await names(randomUUID())).toEqual(["container-found false"]);
  expect(await names(id)).toEqual(["container-found false"]);
  backend.before("inspect", () => Promise.reject(new Error("the engine's own words")));
  const broken = await diagnoseTerminal({ db: test.db, backendOf }, id);
  backend.before("inspect", null);
  expect(broken.steps).toMatchObject([{ name: "docker-available", ok: false }]);
  expect(JSON.stringify(broken)).not.toContain("own words");
  const spec = { name: "w", runtime: "demo", tier: 3, createToken: "t", env: {}, files: [] };
  const key = { workspaceId: id, attemptNo: 0 };
  await backend.create({ ...spec, ...key, removedFiles: [] }, new AbortController().signal);
  expect(await names(id)).toEqual(["container-found true", "container-running true"]);
  backend.crash(key, "exit code 1");
  expect(await names(id)).toEqual(["container-found true", "container-running false"]);
  backend.terminal.isOff = true;
  expect(await names(id)).toEqual(["docker-available false"]);
});
