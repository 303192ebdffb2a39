import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { TerminalAsk } from "@molecule/contracts/terminal";
import { TERMINAL_PROTOCOL, TERMINAL_TICKET_PREFIX } from "@molecule/contracts/terminal-protocol";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import { DomainError } from "@molecule/domain/errors";
import { TERMINAL_END_TEXTS } from "@molecule/domain/terminal";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createTestApi, NO_WORKER, TEST_ADMIN_TOKEN, type TestApi } from "../api.fixture.ts";

type Page = Readonly<Record<string, string>>;
interface Notice {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** A worker whose terminals say `ready` and print what is typed. */
const worker = {
  asks: [] as TerminalAsk[],
  server: new WebSocketServer({ port: 0, host: "127.0.0.1" }),
  sockets: [] as WebSocket[],
  orders: [] as string[],
  /** What a new terminal is answered instead of being opened. */
  refusal: null as keyof typeof TERMINAL_END_TEXTS | null,
  /** Thrown instead of a socket. */
  failure: null as DomainError | null,
};
worker.server.on("connection", (socket) => {
  worker.sockets.push(socket);
  const tell = (notice: Notice) => socket.send(JSON.stringify(notice));
  tell({ kind: "stage", stage: "reaching" });
  if (worker.refusal !== null) {
    const { sentence, next, closeCode } = TERMINAL_END_TEXTS[worker.refusal];
    tell({ kind: "end", end: worker.refusal, sentence, next });
    return socket.close(closeCode);
  }
  tell({ kind: "ready", session: "w.1", isNew: true, cols: 80, rows: 24 });
  socket.send(Buffer.from("$ "), { binary: true });
  socket.on("message", (data, isBinary) => {
    if (isBinary) socket.send(data as Buffer, { binary: true });
    else worker.orders.push(String(data));
  });
});

let t: TestApi;
let base: string;
let id: string;
let ada: Page;

beforeAll(async () => {
  t = await createTestApi({
    worker: {
      ...NO_WORKER,
      callAll: async () =>
        [
          {
            terminals: [
              {
                session: "w.1",
                openedBy: "Ada",
                openedAt: "2026-01-01T00:00:00Z",
                viewers: 1,
                attemptNo: 0,
              },
            ],
          },
        ] as never,
      openTerminal: async (ask) => {
        worker.asks.push(ask);
        if (worker.failure !== null) throw worker.failure;
        const { port } = worker.server.address() as AddressInfo;
        return new WebSocket(`ws://127.0.0.1:${port}`);
      },
    },
  });
  base = await t.listen();
  id = await t.createWorkspace();
  ada = await t.signIn();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  worker.server.close();
});
beforeEach(() => {
  worker.asks.length = 0;
  worker.orders.length = 0;
  worker.refusal = null;
  worker.failure = null;
});

/** A page's own request: the cookie, and the origin of the address that is served. */
function pageHeaders(page: Page): Page {
  return { cookie: page.cookie ?? "", origin: base };
}

async function ticketFor(page: Page, workspaceId = id): Promise<Response> {
  const body = { workspaceId };
  return await t.call("POST", "/trpc/terminal.ticket", { token: null, headers: page, body });
}

async function ticketOf(page: Page, workspaceId = id): Promise<string> {
  const answer = (await (await ticketFor(page, workspaceId)).json()) as {
    result: { data: { ticket: string } };
  };
  return answer.result.data.ticket;
}

function open(
  headers: Page,
  over: { query?: string; protocols?: string[]; workspaceId?: string } = {},
) {
  const url = `${base.replace("http", "ws")}/workspaces/${over.workspaceId ?? id}/terminal${over.query ?? ""}`;
  const socket = new WebSocket(url, over.protocols ?? [], { headers });
  const state = { output: "", notices: [] as Notice[], closedWith: 0, status: 0, refusal: "" };
  socket.on("message", (data, isBinary) => {
    if (isBinary) state.output += String(data);
    else state.notices.push(JSON.parse(String(data)) as Notice);
  });
  socket.on("close", (code) => {
    state.closedWith = code;
  });
  socket.on("unexpected-response", (_request, response) => {
    state.status = response.statusCode ?? 0;
    response.on("data", (chunk) => {
      state.refusal += String(chunk);
    });
    response.on("end", () => socket.terminate());
  });
  socket.on("error", () => undefined);
  return { socket, state };
}

/** The status that an attempt was refused with; 101 when it was not. */
async function statusOf(headers: Page, over: Parameters<typeof open>[1] = {}): Promise<number> {
  const { socket, state } = open(headers, over);
  await waitUntil("it is decided", () => state.status !== 0 || socket.readyState === socket.OPEN);
  const status = state.status === 0 ? 101 : state.status;
  socket.terminate();
  return status;
}

const ours = (ticket: string) => [TERMINAL_PROTOCOL, `${TERMINAL_TICKET_PREFIX}${ticket}`];
const bearer = (token: string): Page => ({ authorization: `Bearer ${token}` });

describe("who may open a terminal", () => {
  it("is a page with its session and a ticket, once", async () => {
    const ticket = await ticketOf(ada);
    const { socket, state } = open(pageHeaders(ada), { protocols: ours(ticket) });
    await waitUntil("it is ready", () => state.notices.some(({ kind }) => kind === "ready"));
    expect(socket.protocol).toBe(TERMINAL_PROTOCOL);
    expect(state.notices.map(({ kind, stage }) => stage ?? kind)).toEqual([
      "authorising",
      "reaching",
      "ready",
    ]);
    expect(worker.asks).toMatchObject([{ workspaceId: id, attemptNo: 0, session: null }]);
    expect(await statusOf(pageHeaders(ada), { protocols: ours(ticket) })).toBe(401);
    expect(worker.asks).toHaveLength(1);
    socket.close();
  });

  it("is one of two that bring the same ticket at once", async () => {
    const ticket = await ticketOf(ada);
    const both = await Promise.all(
      [1, 2].map(() => statusOf(pageHeaders(ada), { protocols: ours(ticket) })),
    );
    expect(both.sort()).toEqual([101, 401]);
  });

  it("is nobody with a ticket of another workspace, another session, too old, or of no session", async () => {
    const other = await t.createWorkspace({ name: "Other" });
    const bo = await t.signIn("editor");
    const attempts: [Page, string][] = [
      [pageHeaders(ada), await ticketOf(ada, other)],
      [pageHeaders(bo), await ticketOf(ada)],
      [{ origin: base }, await ticketOf(ada)],
      [bearer(await t.tokenOf(other)), await ticketOf(ada)],
      [pageHeaders(ada), "nonsense"],
    ];
    const old = await ticketOf(ada);
    await t.test.sql`UPDATE terminal_tickets SET expires_at = cp_now() - interval '1 second'
      WHERE token_sha256 = ${Buffer.from(tokenDigest(old))}`;
    attempts.push([pageHeaders(ada), old]);
    for (const [headers, ticket] of attempts) {
      expect(await statusOf(headers, { protocols: ours(ticket) })).toBe(401);
    }
    expect(worker.asks).toEqual([]);
  });

  it("is nobody without a ticket, from another page, or with a bearer in the address", async () => {
    const ticket = await ticketOf(ada);
    const cases: [Page, string][] = [
      [pageHeaders(ada), ""],
      [{ ...pageHeaders(ada), origin: "https://evil.example" }, ""],
      [{}, `?token=${TEST_ADMIN_TOKEN}&access_token=${TEST_ADMIN_TOKEN}`],
      [{}, `?ticket=${ticket}`],
    ];
    for (const [headers, query] of cases) {
      const status = await statusOf(headers, { query, protocols: [TERMINAL_PROTOCOL] });
      expect([query, [401, 403].includes(status)]).toEqual([query, true]);
    }
    const evil = { ...pageHeaders(ada), origin: "https://evil.example" };
    expect(await statusOf(evil, { protocols: ours(ticket) })).toBe(403);
    expect(worker.asks).toEqual([]);
  });

  it("is no viewer, who is given no ticket either", async () => {
    const viewer = await t.signIn("viewer");
    expect((await ticketFor(viewer)).status).toBe(403);
    const protocols = ours(await ticketOf(ada));
    expect(await statusOf(pageHeaders(viewer), { protocols })).toBe(403);
    expect(worker.asks).toEqual([]);
  });

  it("is no session that was unused for 15 minutes before it asks, and the next request is no longer", async () => {
    const page = await t.signIn();
    await t.test.sql`UPDATE sessions SET last_seen_at = cp_now() - interval '16 minutes'
      WHERE token_sha256 = ${Buffer.from(tokenDigest((page.cookie ?? "").split("=")[1] ?? ""))}`;
    const refused = await ticketFor(page);
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining("You were away"),
    ]);
    await waitUntil("its use is noted", async () => (await ticketFor(page)).status === 200);
  });

  it("is the workspace itself, and the operator, by a bearer in the header", async () => {
    const own = await t.tokenOf(id);
    const stranger = await t.tokenOf(await t.createWorkspace({ name: "Stranger" }));
    expect(await statusOf(bearer(own))).toBe(101);
    expect(await statusOf(bearer(TEST_ADMIN_TOKEN))).toBe(101);
    expect(worker.asks.map(({ attemptNo }) => attemptNo)).toEqual([null, null]);
    expect(await statusOf(bearer(stranger))).toBe(401);
    expect(await statusOf({ ...bearer(own), "x-workspace-id": stranger })).toBe(401);
    expect(await statusOf({ ...bearer(own), origin: "https://evil.example" })).toBe(403);
    expect(await statusOf(bearer("nonsense"))).toBe(401);
    expect(worker.asks).toHaveLength(2);
  });

  it("is asked before anything is looked up, for the diagnosis too", async () => {
    const unknown = "00000000-0000-4000-8000-000000000000";
    const viewer = await t.signIn("viewer");
    for (const path of ["terminal", "terminal/diagnose"]) {
      const anonymous = await t.call("GET", `/workspaces/${unknown}/${path}`, { token: null });
      expect(anonymous.status).toBe(401);
      const headers = viewer;
      const looking = await t.call("GET", `/workspaces/${id}/${path}`, { token: null, headers });
      expect(looking.status).toBe(403);
    }
    const known = await t.call("GET", `/workspaces/${unknown}/terminal/diagnose`);
    expect(known.status).toBe(200);
  });
});

describe("a terminal through the server", () => {
  it("passes on bytes both ways and orders as orders", async () => {
    const protocols = ours(await ticketOf(ada));
    const { socket, state } = open(pageHeaders(ada), { protocols, query: "?cols=100&rows=30" });
    await waitUntil("the prompt is there", () => state.output === "$ ");
    expect(worker.asks).toMatchObject([{ cols: 100, rows: 30 }]);
    socket.send(Buffer.from([0, 255, 3]));
    socket.send(JSON.stringify({ kind: "resize", cols: 90, rows: 20 }));
    await waitUntil("both arrived", () => worker.orders.length === 1 && state.output.length > 2);
    expect(JSON.parse(worker.orders[0] ?? "")).toEqual({ kind: "resize", cols: 90, rows: 20 });
    socket.close();
  });

  it("speaks to a client of the wire contract in bytes alone, whatever frames it sends", async () => {
    const { socket, state } = open(bearer(TEST_ADMIN_TOKEN));
    await waitUntil("the prompt is there", () => state.output === "$ ");
    socket.send("ls\n");
    await waitUntil("it is typed", () => state.output === "$ ls\n");
    expect(state.notices).toEqual([]);
    expect(worker.orders).toEqual([]);
    socket.close();
  });

  it("tells such a client why not as a status, and a page as an end it can read", async () => {
    const cases = [
      ["not_running", 404],
      ["elsewhere", 501],
      ["starting", 503],
      ["unreachable", 503],
    ] as const;
    for (const [refusal, status] of cases) {
      worker.refusal = refusal;
      expect([refusal, await statusOf(bearer(TEST_ADMIN_TOKEN))]).toEqual([refusal, status]);
    }
    worker.refusal = "off";
    const { state } = open(pageHeaders(ada), { protocols: ours(await ticketOf(ada)) });
    await waitUntil("it has ended", () => state.closedWith !== 0);
    expect(state.closedWith).toBe(4501);
    expect(state.notices.at(-1)).toMatchObject({ kind: "end", end: "off" });
  });

  it("tells a page that no worker is there", async () => {
    worker.failure = new DomainError("workspace_unreachable", "No worker is running right now.");
    const { state } = open(pageHeaders(ada), { protocols: ours(await ticketOf(ada)) });
    await waitUntil("it has ended", () => state.closedWith !== 0);
    expect(state.notices).toMatchObject([
      { kind: "end", end: "unreachable", sentence: "No worker is running right now." },
    ]);
    expect(await statusOf(bearer(TEST_ADMIN_TOKEN))).toBe(503);
  });

  it("reads no more from a shell than its client takes", async () => {
    const { socket, state } = open(bearer(TEST_ADMIN_TOKEN));
    await waitUntil("the prompt is there", () => state.output === "$ ");
    socket.pause();
    const shell = worker.sockets.at(-1) as WebSocket;
    const chunk = Buffer.alloc(65_536, "x");
    // More than the sockets of the system hold on the way, whatever they grow to.
    for (let n = 0; n < 400; n += 1) shell.send(chunk, { binary: true });
    await waitUntil("the shell is held up", () => shell.bufferedAmount > 1_000_000);
    const held = shell.bufferedAmount;
    await new Promise((resolve) => setImmediate(resolve));
    expect(shell.bufferedAmount).toBe(held);
    socket.resume();
    await waitUntil("all came", () => state.output.length === 2 + 400 * 65_536);
    socket.terminate();
  });

  it("ends when the session ends, and leaves the shell alone", async () => {
    const page = await t.signIn();
    const protocols = ours(await ticketOf(page));
    const { state } = open(pageHeaders(page), { protocols });
    await waitUntil("it is ready", () => state.notices.some(({ kind }) => kind === "ready"));
    const shell = worker.sockets.at(-1) as WebSocket;
    const gone = once(shell, "close");
    await t.call("POST", "/sign-out", { token: null, headers: page });
    await waitUntil("it has ended", () => state.closedWith !== 0);
    expect(state.closedWith).toBe(4401);
    await gone;
    expect(worker.orders).toEqual([]);
  });

  it("lists those that live", async () => {
    const target = `/trpc/terminal.list?input=${encodeURIComponent(JSON.stringify({ workspaceId: id }))}`;
    const answer = await t.call("GET", target, { token: null, headers: ada });
    expect(await answer.json()).toMatchObject({
      result: { data: { terminals: [{ session: "w.1" }] } },
    });
  });
});
