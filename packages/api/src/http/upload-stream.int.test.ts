import { createServer, type IncomingMessage, request } from "node:http";
import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { runAt } from "../a2a/test-agent.fixture.ts";
import { createTestApi, TEST_ADMIN_TOKEN } from "../api.fixture.ts";

const MEGABYTE = 1024 * 1024;
const TOTAL = 49 * MEGABYTE;
/** What two connections of a Linux machine hold at most, each with both of its ends, and some more. */
const MOST_ON_THE_WAY = 30 * MEGABYTE;
/** Looks without another byte after which the sender counts as held back. */
const QUIET_LOOKS = 25;

it("holds the sender of a file back when its receiver does not read, and loses no byte", async () => {
  await using api = await createTestApi();
  let reader: IncomingMessage | null = null;
  let received = 0;
  const server = createServer((req, res) => {
    req.pause();
    reader = req;
    req.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    req.pause();
    req.on("end", () => res.end(JSON.stringify({ files: [] })));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const id = await api.createWorkspace();
  await runAt(api, id, `127.0.0.1:${port}`);
  const url = `${await api.listen()}/workspaces/${id}/chat/uploads`;
  const req = request(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${TEST_ADMIN_TOKEN}`,
      "content-type": "multipart/form-data; boundary=b0",
    },
  });
  const answered = new Promise<number>((done, fail) => {
    req.on("response", (res) => {
      res.resume();
      done(res.statusCode ?? 0);
    });
    req.on("error", fail);
  });
  const sent = sendAll(req, TOTAL);
  let quiet = 0;
  let before = -1;
  await waitUntil(
    "nothing more is taken from the sender",
    () => {
      const now = req.socket?.bytesWritten ?? 0;
      const waiting = req.socket?.writableLength ?? 0;
      const taken = now - waiting;
      quiet = taken > 0 && taken === before ? quiet + 1 : 0;
      before = taken;
      return quiet >= QUIET_LOOKS;
    },
    { everyMs: 20, timeoutMs: 60_000 },
  );
  expect(received).toBe(0);
  expect(before).toBeLessThan(MOST_ON_THE_WAY);
  await waitUntil("the receiver is there", () => reader !== null);
  (reader as IncomingMessage | null)?.resume();
  await sent;
  expect(await answered).toBe(200);
  expect(received).toBe(TOTAL);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

/** Writes as a well-behaved client does: no faster than it is taken. */
async function sendAll(req: ReturnType<typeof request>, total: number): Promise<void> {
  const piece = Buffer.alloc(64 * 1024, 7);
  for (let at = 0; at < total; at += piece.length) {
    if (!req.write(piece)) await new Promise<void>((done) => req.once("drain", () => done()));
  }
  req.end();
}
