import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWorkerClient } from "./worker-client.ts";

const workspaceId = "11111111-1111-4111-8111-111111111111";
let test: TestDatabase;
let folder: string;
let server: Server;
let answer: { status: number; body: unknown };
let seen: { url: string | undefined; signature: string; body: string }[];

beforeEach(async () => {
  test = await createTestDatabase();
  folder = await mkdtemp(path.join(tmpdir(), "worker-key-"));
  await writeFile(path.join(folder, "worker.key"), "the key\n");
  seen = [];
  server = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += String(chunk);
    seen.push({ url: req.url, signature: String(req.headers["x-molecule-signature"]), body });
    res.statusCode = answer.status;
    res.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await test.close();
  await rm(folder, { recursive: true });
});

const client = () =>
  createWorkerClient({
    db: test.db,
    keyFile: path.join(folder, "worker.key"),
    now: () => new Date("2026-01-01T00:00:00Z"),
  });
const worker = async (id: string, url?: string) => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  await test.sql`INSERT INTO workers (id, url, info)
    VALUES (${id}, ${url ?? `http://127.0.0.1:${port}`}, '{}')`;
};
const read = () => client().call("files.read", { workspaceId, root: "/workspace", path: "a.txt" });

describe("the client of the worker", () => {
  it("signs each call with the content of the key file", async () => {
    await worker("w1");
    answer = { status: 200, body: { content: "aGk=", size: 2 } };
    expect(await read()).toEqual({ content: "aGk=", size: 2 });
    const [call] = seen;
    const seconds = 1_767_225_600;
    const mac = createHmac("sha256", "the key")
      .update(`${seconds}\n/v1/files.read\n${call?.body}`)
      .digest("hex");
    expect(call).toMatchObject({ url: "/v1/files.read", signature: `${seconds}.${mac}` });
  });

  it("passes the worker's failure on with its details", async () => {
    await worker("w1");
    answer = {
      status: 503,
      body: {
        error: "It is restarting.",
        code: "workspace_restarting",
        details: { restarting: true, attempt: 3, retry_after: 5 },
      },
    };
    await expect(read()).rejects.toMatchObject({
      code: "workspace_restarting",
      message: "It is restarting.",
      details: { attempt: 3, retry_after: 5 },
    });
  });

  it("says so when no worker is alive, when it does not answer and when it answers nonsense", async () => {
    await expect(read()).rejects.toMatchObject({ code: "workspace_unreachable" });
    await worker("gone", "http://127.0.0.1:9");
    await expect(read()).rejects.toMatchObject({ code: "workspace_unreachable" });
    await test.sql`DELETE FROM workers`;
    await worker("w1");
    answer = { status: 500, body: "nonsense" };
    await expect(read()).rejects.toMatchObject({ code: "workspace_unreachable" });
  });
});
