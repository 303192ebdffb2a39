import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, TEST_ADMIN_TOKEN, type TestApi } from "../api.fixture.ts";
import { type WatchedChanges, watchChanges } from "../watch-changes.fixture.ts";

/**
 * Bytes that are no request, or a strange one, as they come over a socket. An error that nobody takes
 * would end the process: vitest fails on it. Source: security C2 row 21.
 */
let api: TestApi;
let changes: WatchedChanges;
let base: string;
let cookie: string;

beforeAll(async () => {
  api = await createTestApi();
  cookie = (await api.signIn()).cookie ?? "";
  base = await api.listen();
  changes = await watchChanges(api.test);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

/** How long the other side may say nothing before it is told that nothing more comes. */
const SILENCE_MS = 1_000;

/** Everything that comes back until the other side ends it, or a whole head came. */
function send(bytes: string, how: { readonly reset?: boolean } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(base).port), "127.0.0.1");
    let text = "";
    const done = () => {
      resolve(text);
      socket.destroy();
    };
    socket.setTimeout(SILENCE_MS, () => socket.end());
    socket.on("connect", () => {
      socket.write(bytes, "latin1", () => {
        if (how.reset !== true) return;
        socket.resetAndDestroy();
        resolve("");
      });
    });
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (text.includes("\r\n\r\n")) done();
    });
    socket.on("end", done);
    socket.on("close", done);
    socket.on("error", done);
  });
}

const END = "Connection: close\r\n\r\n";
const BEARER = `Authorization: Bearer ${TEST_ADMIN_TOKEN}\r\n`;
const POST = `POST /workspaces HTTP/1.1\r\nHost: x\r\n${BEARER}Content-Type: application/json\r\n`;
const NEW = '{"name":"Smuggled","runtime":"demo"}';
const SMUGGLED = `POST /workspaces HTTP/1.1\r\nHost: x\r\n${BEARER}Content-Length: ${NEW.length}\r\n\r\n${NEW}`;

const METHODS = [
  "TRACE",
  "TRACK",
  "CONNECT",
  "OPTIONS",
  "HEAD",
  "PROPFIND",
  "PURGE",
  "QUERY",
  "get",
];
const HOSTS = [
  "user:pw@x",
  "x@y",
  "x/workspaces",
  "x?a",
  "x#b",
  "a b",
  "[",
  "[::1",
  "x:99999",
  "",
  "%00",
];

/** Requests that must be answered, or refused by ending the connection, and change nothing. */
const STRANGE: readonly string[] = [
  ...METHODS.flatMap((method) => [
    `${method} /health HTTP/1.1\r\nHost: x\r\n${END}`,
    `${method} /workspaces HTTP/1.1\r\nHost: x\r\n${END}`,
    `${method} /trpc/session.me HTTP/1.1\r\nHost: x\r\n${END}`,
  ]),
  ...HOSTS.flatMap((host) => [
    `GET /health HTTP/1.1\r\nHost: ${host}\r\n${END}`,
    `GET /workspaces HTTP/1.1\r\nHost: ${host}\r\n${END}`,
  ]),
  ...[
    "/",
    "//",
    "///x",
    "*",
    "/%",
    "/%zz",
    "/..;/x",
    "/\\x",
    "http://a:b@c/",
    "/?a=%",
    "/trpc",
    "/trpc/",
  ].map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n${END}`),
  ...[
    "/trpc/a,b,c?batch=1",
    "/trpc/session.me?batch=1&input=%7B",
    "/trpc/session.me?input=%00",
  ].map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n${BEARER}${END}`),
  "GET /health HTTP/1.1\r\n\r\n",
  "GET /health HTTP/1.0\r\n\r\n",
  "GET /health HTTP/0.9\r\n\r\n",
  "GET /health HTTP/2.0\r\nHost: x\r\n\r\n",
  "GET /health\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\r\n\r\n\r\n",
  "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n",
  `GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n${END}`,
  `GET /health HTTP/1.1\r\nHost: x\r\n folded: a\r\n${END}`,
  `GET /health HTTP/1.1\r\nHost: x\r\nA\u0000: b\r\n${END}`,
  `GET /health HTTP/1.1\r\nHost: x\r\nA: b\u0000\r\n${END}`,
  `GET /health HTTP/1.1\r\nHost: x\r\nA: \u00ff\u0080\r\n${END}`,
  `GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \u00e9\r\n${END}`,
  `GET /workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${"a".repeat(12_000)}\r\n${END}`,
  `GET /workspaces HTTP/1.1\r\nHost: x\r\nCookie: ${"a=b; ".repeat(2000)}\r\n${END}`,
  `GET /workspaces HTTP/1.1\r\nHost: x\r\nOrigin: \u0001\r\n${END}`,
  `GET /${"a".repeat(15_000)} HTTP/1.1\r\nHost: x\r\n${END}`,
  `GET /health HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(3000)}${END}`,
  `GET /health HTTP/1.1\r\nHost: x\r\nExpect: 200-maybe\r\n${END}`,
  `GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n${END}hello`,
];

/** The same, with a body that two servers would read in two ways. */
const SMUGGLING: readonly string[] = [
  `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5\r\nabc`,
  `${POST}Content-Length: 2\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n{}${SMUGGLED}`,
  `${POST}Content-Length: +2\r\n\r\n{}`,
  `${POST}Content-Length: -1\r\n\r\n`,
  `${POST}Content-Length: 0x2\r\n\r\n{}`,
  `${POST}Content-Length: 2, 2\r\n\r\n{}`,
  `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n2;a="${"x".repeat(20_000)}"\r\n{}\r\n0\r\n\r\n`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n2\r\n{}X\r\n0\r\n\r\n`,
];

const upgrade = (path: string, more = "") =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;
const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const UPGRADES: readonly string[] = [
  upgrade("/ws"),
  upgrade("/ws", KEY),
  upgrade("/ws", `${BEARER}Sec-WebSocket-Version: 13\r\n`),
  upgrade("/ws", `${BEARER}${KEY}Sec-WebSocket-Version: 99\r\n`),
  upgrade("/ws", `${BEARER}Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n`),
  upgrade("/ws?after=%", `${BEARER}${KEY}`),
  upgrade("/ws?after=99999999999999999999.1", `${BEARER}${KEY}`),
  upgrade("/nothing", KEY),
  upgrade("/workspaces", `${BEARER}${KEY}`),
  upgrade("//ws", KEY),
  upgrade("*", KEY),
  upgrade("/ws", `Origin: https://evil.example\r\n${KEY}`),
  `POST /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n`,
];

const isWell = async () => expect((await fetch(`${base}/health`)).status).toBe(200);

describe("bytes over a socket", () => {
  it.each([
    ["strange requests", STRANGE],
    ["bodies of two lengths", SMUGGLING],
    ["upgrades", UPGRADES],
  ] as const)("%s end with an answer that is no 5xx, or with nothing", async (_name, all) => {
    const wrong: string[] = [];
    const answers = await Promise.all(all.map((bytes) => send(bytes)));
    for (const [at, bytes] of all.entries()) {
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(answers[at] ?? "")?.[1] ?? "none";
      const isRight = status === "none" || Number(status) < 500 || status === "505";
      if (!isRight) wrong.push(`${JSON.stringify(bytes.slice(0, 120))} → ${status}`);
    }
    expect(wrong).toEqual([]);
    await isWell();
  });

  it("change nothing", async () => {
    expect(await changes.latest(5)).toEqual([]);
    expect(await (await api.call("GET", "/workspaces")).json()).toEqual([]);
  });

  it("may end at any place of theirs", async () => {
    const all = [...UPGRADES, `${POST}Content-Length: 500\r\n\r\n{"na`, ...SMUGGLING];
    const parts = all.flatMap((bytes) => [bytes, bytes.slice(0, Math.ceil(bytes.length * 0.7))]);
    await Promise.all(parts.map((bytes) => send(bytes, { reset: true })));
    await isWell();
    expect(await changes.latest(5)).toEqual([]);
  });

  it("of HEAD are refused as those of GET are, procedures too", async () => {
    for (const path of ["/trpc/session.me", "/trpc/nothing", "/workspaces", "/nothing"]) {
      for (const headers of [{ cookie }, { cookie, origin: "https://evil.example" }, {}]) {
        const response = await fetch(`${base}${path}`, { method: "HEAD", headers });
        expect(response.status, path).toBeLessThan(500);
      }
    }
    await isWell();
  });

  it("have left nothing for the log to explain", () => {
    expect(api.warnings.filter((line) => !line.includes("not protected by https"))).toEqual([]);
  });
});
