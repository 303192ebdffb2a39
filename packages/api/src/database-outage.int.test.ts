import { connect, createServer, type Server, type Socket } from "node:net";
import { openDatabase } from "@molecule/db/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import WebSocket from "ws";
import { createTestApi, TEST_ADMIN_TOKEN } from "./api.fixture.ts";

/** Stands between the pool and Postgres and can be taken away. */
class Detour {
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  port = 0;

  constructor(target: string) {
    this.#target = new URL(target);
  }

  async start(): Promise<void> {
    const { hostname, port } = this.#target;
    const server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          this.#sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address === "object" && address !== null) this.port = address.port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

describe("a database that goes away while the server runs", () => {
  it("is answered with 503, keeps streams open, and loses nothing when it is back", async () => {
    const opened: { proxy?: Detour } = {};
    // The pool connects with its first query, by when the proxy listens.
    const port = await freePort();
    await using t = await createTestApi({
      openDb: (url) => {
        const through = new URL(url);
        opened.proxy = new Detour(url);
        opened.proxy.port = port;
        void opened.proxy.start();
        through.hostname = "127.0.0.1";
        through.port = String(port);
        return openDatabase({ url: through.href, applicationName: "outage", maxConnections: 4 });
      },
    });
    const { proxy } = opened;
    if (proxy === undefined) throw new Error("no proxy");
    const base = await t.listen();
    const id = await t.createWorkspace();
    const socket = new WebSocket(`${base.replace("http", "ws")}/ws`, {
      headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}` },
    });
    const texts: string[] = [];
    socket.on("message", (data) => texts.push(String(data)));
    await waitUntil("it is live", () => texts.some((text) => text.includes('"live"')));

    await proxy.stop();
    const answer = await waitUntil("the outage is noticed", async () => {
      const response = await t.call("GET", "/workspaces");
      return response.status === 503 ? response : null;
    });
    expect(await answer.json()).toMatchObject({
      code: "platform_unavailable",
      error: "The database cannot be reached right now.",
    });
    expect((await t.call("GET", "/health", { token: null })).status).toBe(200);
    expect((await t.call("GET", "/trpc/canvas.snapshot")).status).toBe(503);
    const metrics = await (await t.call("GET", "/metrics")).text();
    expect(metrics).toContain("molecule_database_up 0\n");
    expect(metrics).toContain("molecule_http_requests_total{");
    // Somebody else writes while this process cannot see it.
    await t.test.sql`
      INSERT INTO events (event, subject_id, payload) VALUES ('LAYOUT_UPDATED', ${id}, '{"missed": 1}')`;

    await proxy.start();
    await waitUntil(
      "it answers again",
      async () => (await t.call("GET", "/workspaces")).status === 200,
    );
    await waitUntil("the missed event is seen", () =>
      texts.some((text) => text.includes("missed")),
    );
    expect(socket.readyState).toBe(socket.OPEN);
    expect(await (await t.call("GET", "/metrics")).text()).toContain("molecule_database_up 1\n");
    expect((await t.call("PATCH", `/workspaces/${id}`, { body: { name: "Back" } })).status).toBe(
      200,
    );
    await waitUntil("new events are seen", () =>
      texts.some((text) => text.includes('"name":"Back"')),
    );
    socket.close();
    await t.deps.db.close();
    await proxy.stop();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}
