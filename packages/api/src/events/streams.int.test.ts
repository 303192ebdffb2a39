import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import type { CanvasSnapshot } from "@molecule/contracts/workspaces";
import { trimEvents } from "@molecule/db/events/trim-events";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import WebSocket from "ws";
import { createTestApi, TEST_ADMIN_TOKEN, type TestApi } from "../api.fixture.ts";

const ADMIN = { authorization: `Bearer ${TEST_ADMIN_TOKEN}` };
type Message = Record<string, unknown> & { event?: string; control?: string; cursor?: string };

/** A client that keeps what it gets. */
function open(url: string, headers: Record<string, string> = ADMIN) {
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  const messages: Message[] = [];
  const state = { closedWith: 0, refusedWith: 0 };
  socket.on("message", (data) => messages.push(JSON.parse(String(data)) as Message));
  socket.on("close", (code) => {
    state.closedWith = code;
  });
  socket.on("unexpected-response", (_request, response) => {
    state.refusedWith = response.statusCode ?? 0;
    socket.terminate();
  });
  socket.on("error", () => undefined);
  const live = () =>
    waitUntil("the stream is live", () => messages.some((one) => one.control === "live"));
  return { socket, messages, state, live, events: () => messages.filter((one) => one.event) };
}

async function snapshot(t: TestApi): Promise<CanvasSnapshot> {
  const answer = await t.call("GET", "/trpc/canvas.snapshot");
  const body = (await answer.json()) as { result: { data: CanvasSnapshot } };
  return body.result.data;
}

describe("the WebSocket stream", () => {
  it("goes on from the snapshot's cursor without a gap or a repetition, with the node of each card", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const id = await t.createWorkspace();
    const { cursor, nodes } = await snapshot(t);
    await t.call("PATCH", `/workspaces/${id}`, { body: { name: "Missed" } });
    const client = open(`${base}/ws?after=${cursor}`);
    await client.live();
    const nameOf = (one: Message) => (one.node as { name?: string } | undefined)?.name;
    await t.call("PATCH", `/workspaces/${id}`, { body: { name: "Live" } });
    // The log is read below the oldest running transaction, which may be another test's: what comes
    // in which batch is open, and a card shows what is so when its batch is sent.
    const updates = () => client.events().filter((one) => one.event === "WORKSPACE_UPDATED");
    await waitUntil("both are seen", () => updates().length === 2);
    expect(["Missed", "Live", undefined]).toContain(nameOf(updates()[0] as Message));
    expect(nameOf(updates()[1] as Message)).toBe("Live");
    const cursors = client.events().map((one) => one.cursor);
    expect(new Set(cursors).size).toBe(cursors.length);
    const revisions = client
      .events()
      .flatMap(({ node }) => (node ? [(node as { revision: number }).revision] : []));
    expect(Math.min(...revisions)).toBeGreaterThanOrEqual(nodes[0]?.revision ?? Number.MAX_VALUE);
    client.socket.close();
  });

  it("loses nothing for a client that reconnects in the middle of writes", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const id = await t.createWorkspace();
    let { cursor } = await snapshot(t);
    const seen: string[] = [];
    const writing = (async () => {
      for (let n = 0; n < 60; n += 1) {
        await t.call("PATCH", `/workspaces/${id}`, { body: { name: `N${n}` } });
      }
    })();
    const total = () =>
      t.test.sql`SELECT count(*)::int AS n FROM events WHERE event = 'WORKSPACE_UPDATED'`;
    for (let turn = 0; turn < 8; turn += 1) {
      const client = open(`${base}/ws?after=${cursor}`);
      await client.live();
      await waitUntil("something came or all is written", async () => {
        const [row] = await total();
        return client.events().length > 3 || row?.n === 60;
      });
      client.socket.terminate();
      for (const one of client.events()) {
        if (one.event === "WORKSPACE_UPDATED") seen.push(String(one.cursor));
        cursor = one.cursor ?? cursor;
      }
    }
    await writing;
    const last = open(`${base}/ws?after=${cursor}`);
    await waitUntil("the rest is seen", () => {
      const rest = last.events().filter((one) => one.event === "WORKSPACE_UPDATED");
      return seen.length + rest.length >= 60;
    });
    const rest = last.events().filter((one) => one.event === "WORKSPACE_UPDATED");
    const all = [...seen, ...rest.map((one) => String(one.cursor))];
    expect(all).toHaveLength(60);
    expect(new Set(all).size).toBe(60);
    last.socket.close();
  });

  it("asks for a new snapshot when the log does not reach back, and then goes on live", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const { cursor } = await snapshot(t);
    for (let n = 0; n < 5; n += 1) await t.createWorkspace();
    await trimEvents(t.test.db, { days: 7, rows: 2 });
    await t.test.logReadable();
    for (const after of [cursor, "999999999.1", "nonsense"]) {
      const client = open(`${base}/ws?after=${after}`);
      await client.live();
      expect(client.messages[0]).toMatchObject({ control: "resync" });
      client.socket.close();
    }
    const fresh = open(`${base}/ws?after=${(await snapshot(t)).cursor}`);
    await fresh.live();
    expect(fresh.messages[0]).toMatchObject({ control: "live" });
    fresh.socket.close();
  });

  it("shows an agent only whom it may speak to, and only the contract's four fields", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const team = await t.createWorkspace({ name: "Team" });
    const agent = await t.createWorkspace({ name: "Agent", parent_id: team });
    const stranger = await t.createWorkspace({ name: "Stranger" });
    const headers = { authorization: `Bearer ${await t.tokenOf(agent)}`, "x-workspace-id": agent };
    const client = open(`${base}/ws`, headers);
    await waitUntil("it is open", () => client.socket.readyState === client.socket.OPEN);
    await waitUntil("it follows", async () => {
      t.deps.live.emit({ event: "TASK_UPDATED", workspace_id: agent, timestamp: "", payload: {} });
      return client.messages.length > 0;
    });
    await t.call("PATCH", `/workspaces/${stranger}`, { body: { name: "Hidden" } });
    await t.call("PATCH", `/workspaces/${team}`, { body: { name: "Shown" } });
    await waitUntil("the team's change is seen", () =>
      client.messages.some((one) => one.event === "WORKSPACE_UPDATED"),
    );
    expect(new Set(client.messages.map((one) => one.workspace_id))).toEqual(new Set([agent, team]));
    for (const one of client.messages) {
      expect(Object.keys(one).sort()).toEqual(["event", "payload", "timestamp", "workspace_id"]);
    }
    client.socket.close();
  });

  it("sends live events with the node, in the order they came", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const id = await t.createWorkspace();
    const client = open(`${base}/ws`);
    await client.live();
    for (let n = 0; n < 20; n += 1) {
      const payload = { current_task: `task ${n}`, active_tasks: 1 };
      t.deps.live.emit({ event: "TASK_UPDATED", workspace_id: id, timestamp: "", payload });
    }
    const tasks = () => client.events().filter((one) => one.event === "TASK_UPDATED");
    await waitUntil("all are seen", () => tasks().length === 20);
    expect(tasks().at(-1)).toMatchObject({ payload: { current_task: "task 19" }, node: { id } });
    client.socket.close();
  });

  it("refuses strangers, foreign pages, foreign names and superseded agents at the handshake", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const { host } = new URL(base);
    const { cookie = "" } = await t.signIn();
    const id = await t.createWorkspace();
    const bearer = { authorization: `Bearer ${await t.tokenOf(id)}` };
    const cases: [Record<string, string>, number][] = [
      [{}, 401],
      [{ authorization: "Bearer wrong", cookie, origin: `http://${host}` }, 401],
      [{ cookie }, 403],
      [{ cookie, origin: "http://evil.test" }, 403],
      [{ ...bearer, "x-workspace-id": randomUUID() }, 401],
    ];
    for (const [headers, status] of cases) {
      const client = open(`${base}/ws`, headers);
      await waitUntil("it is refused", () => client.state.refusedWith !== 0);
      expect([JSON.stringify(headers), client.state.refusedWith]).toEqual([
        JSON.stringify(headers),
        status,
      ]);
    }
    const page = open(`${base}/ws`, { cookie, origin: `http://${host}` });
    await page.live();
    page.socket.close();
  });

  it("closes with 4401 as soon as the session is signed out, and no other", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const { host } = new URL(base);
    const page = await t.signIn();
    const other = await t.signIn();
    const clients = [page, other].map(({ cookie = "" }) =>
      open(`${base}/ws`, { cookie, origin: `http://${host}` }),
    );
    for (const client of clients) await client.live();
    await t.call("POST", "/sign-out", { token: null, headers: page });
    await waitUntil("it is closed", () => clients[0]?.state.closedWith === 4401);
    expect(clients[1]?.state.closedWith).toBe(0);
    clients[1]?.socket.close();
  });

  it("tells clients to come back when the process stops, not that they are signed out", async () => {
    await using t = await createTestApi();
    const client = open(`${await t.listen()}/ws`);
    await client.live();
    await t.api.stop();
    await waitUntil("it is closed", () => client.state.closedWith !== 0);
    expect(client.state.closedWith).toBe(1001);
  });

  it("drops a client that does not read, and keeps the memory of the others", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const id = await t.createWorkspace();
    const { port } = new URL(base);
    const slow = connect(Number(port), "127.0.0.1");
    slow.on("error", () => undefined);
    slow.write(
      `GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\nAuthorization: Bearer ${TEST_ADMIN_TOKEN}\r\n\r\n`,
    );
    slow.pause();
    const quick = open(`${base}/ws`);
    await quick.live();
    const payload = { current_task: "x".repeat(200_000) };
    await waitUntil(
      "the slow one is gone",
      async () => {
        t.deps.live.emit({ event: "AGENT_MESSAGE", workspace_id: id, timestamp: "", payload });
        await new Promise((resolve) => setImmediate(resolve));
        return (await t.deps.metrics.render()).includes("active 1\n");
      },
      { timeoutMs: 20_000 },
    );
    expect(quick.state.closedWith).toBe(0);
    slow.destroy();
    quick.socket.close();
  });
});

describe("the stream for scripts", () => {
  it("sends what came after Last-Event-ID as server-sent events, then what comes", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const id = await t.createWorkspace();
    const { cursor } = await snapshot(t);
    await t.call("PATCH", `/workspaces/${id}`, { body: { name: "Missed" } });
    const response = await fetch(`${base}/events/stream`, {
      headers: { ...ADMIN, "last-event-id": cursor },
    });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    let text = "";
    const reading = (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    await waitUntil("it is live", () => text.includes('"control":"live"'));
    expect(text.startsWith(": ping\n")).toBe(true);
    // Another test's running transaction can hold it back until after `live`.
    await waitUntil("the missed one is seen", () =>
      /id: \d+\.\d+\ndata: \{"event":"WORKSPACE_UPDATED"/.test(text),
    );
    await t.createWorkspace({ name: "Later" });
    await waitUntil("the new one is seen", () => text.includes('"name":"Later"'));
    await t.api.stop();
    await reading;
  });
});
