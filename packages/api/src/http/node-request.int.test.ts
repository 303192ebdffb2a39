import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { createTestApi, TEST_ADMIN_TOKEN } from "../api.fixture.ts";

/** Sends bytes as they are and resolves with everything that comes back. */
function exchange(base: string, parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(base).port), "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      resolve(text);
      socket.end();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", (error) => (text === "" ? reject(error) : resolve(text)));
    for (const part of parts) socket.write(part);
  });
}

const HEAD = `POST /workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TEST_ADMIN_TOKEN}\r\nContent-Type: application/json\r\n`;

describe("requests over a socket", () => {
  it("are refused with 413 while they are still sending, whether or not they said their size", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const chunk = Buffer.alloc(256 * 1024, "x");
    const announced = `${HEAD}Content-Length: ${12 * chunk.length}\r\n\r\n`;
    expect(await exchange(base, [announced, ...Array(12).fill(chunk)])).toMatch(/^HTTP\/1.1 413 /);
    const line = Buffer.from(`${chunk.length.toString(16)}\r\n`);
    const chunks = Array(12).fill(Buffer.concat([line, chunk, Buffer.from("\r\n")]));
    const chunked = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
    expect(await exchange(base, [chunked, ...chunks])).toMatch(/^HTTP\/1.1 413 /);
  });

  it("never take more memory than the limit for a body that does not end", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const before = process.memoryUsage().arrayBuffers;
    const answers = Array.from({ length: 8 }, () =>
      exchange(base, [
        `${HEAD}Content-Length: 16000000\r\n\r\n`,
        ...Array(60).fill(Buffer.alloc(256 * 1024, "x")),
      ]),
    );
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1_048_576);
  });

  it("that end in the middle of their body change nothing and log no error", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    const socket = connect(Number(new URL(base).port), "127.0.0.1");
    socket.write(`${HEAD}Content-Length: 500\r\n\r\n{"name":"Half`);
    await new Promise<void>((resolve) => setImmediate(resolve));
    socket.destroy();
    await t.call("GET", "/workspaces");
    expect(await (await t.call("GET", "/workspaces")).json()).toEqual([]);
    expect(t.warnings).toEqual([]);
  });

  it("with strange targets and hosts are answered, never an error of ours", async () => {
    await using t = await createTestApi();
    const base = await t.listen();
    for (const target of [
      "//evil.test/x",
      "*",
      "http://evil.test/health",
      "/%",
      "/\\..\\x",
      "/?%00",
    ]) {
      const text = await exchange(base, [
        `GET ${target} HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n`,
      ]);
      expect([target, text.slice(0, 12)]).toEqual([
        target,
        expect.stringMatching(/^HTTP\/1.1 [24]/),
      ]);
    }
    expect(t.warnings).toEqual([]);
  });
});
