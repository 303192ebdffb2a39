import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { connectWorkspace } from "./connect-workspace.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Asks for the health as soon as the port takes a connection; null when it took none. */
async function firstAnswer(port: number): Promise<string | null> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } catch {
    return null;
  }
  socket.write("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const [first] = await once(socket, "data");
  socket.destroy();
  return String(first);
}

it("answers whoever comes in the moment its port is there, however slow its disk is", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "molecule-serve-"));
  const notes = path.join(folder, ".molecule/notes.json");
  await mkdir(path.dirname(notes));
  // A file that can be read only once somebody writes it.
  await promisify(execFile)("mkfifo", [notes]);
  const port = await freePort();
  const agent = await connectWorkspace({
    platformUrl: "http://127.0.0.1:9",
    workspaceId: crypto.randomUUID(),
    token: "none",
    folder,
  });
  const serving = agent.serve({
    agent: async () => "yes",
    card: { name: "Echo" },
    listen: { host: "127.0.0.1", port },
  });
  for (let tries = 0; tries < 20; tries += 1) expect(await firstAnswer(port)).toBeNull();
  await writeFile(notes, "");
  let answer: string | null = null;
  while (answer === null) answer = await firstAnswer(port);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  await (await serving).stop();
  await rm(folder, { recursive: true });
});
