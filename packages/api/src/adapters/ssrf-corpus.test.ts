import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer, type Server as NetServer } from "node:net";
import { isDomainError } from "@molecule/domain/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AgentResult, requestAgent } from "./agent-connection.ts";
import type { ConnectionOptions } from "./agent-line.ts";
import { parseAgentUrl, type Resolve } from "./public-address.ts";
import {
  PUBLIC_ADDRESS,
  SPECIAL_IPV4,
  SPECIAL_IPV6,
  type SsrfCase,
  ssrfCorpus,
} from "./ssrf-corpus.fixture.ts";

/**
 * Stands for the public internet: the operator allowed it, and somebody answers there. The trap is on
 * the same port of the loopback addresses, where nobody may ever come.
 */
const PUBLIC = "127.0.0.2";
const ALLOWED = [`${PUBLIC}/32`];

let benign: Server;
let traps: NetServer[];
let port: number;
let reached = 0;
let trapped = 0;

beforeAll(async () => {
  benign = createHttpServer((req, res) => {
    reached += 1;
    const status = Number(new URL(req.url ?? "/", "http://x").searchParams.get("status") ?? "200");
    const secret = String(req.headers.authorization ?? "");
    res.writeHead(status, { location: `http://127.0.0.1:${port}/?${secret}` }).end("hello");
  });
  await new Promise<void>((resolve) => benign.listen(0, PUBLIC, resolve));
  port = (benign.address() as AddressInfo).port;
  traps = await Promise.all(["127.0.0.1", "::1"].map(trapOn));
});
afterAll(async () => {
  benign.closeAllConnections();
  for (const server of [benign, ...traps]) await new Promise((done) => server.close(done));
});

async function trapOn(host: string): Promise<NetServer> {
  const server = createServer((socket) => {
    trapped += 1;
    socket.destroy();
  });
  // A machine without IPv6 has no trap there, and nothing could be reached either.
  await new Promise<void>((resolve) => {
    server.once("error", () => resolve());
    server.listen(port, host, resolve);
  });
  return server;
}

async function dial(url: string, options: ConnectionOptions): Promise<AgentResult | "refused"> {
  let parsed: URL;
  try {
    parsed = parseAgentUrl(url);
  } catch (error) {
    if (isDomainError(error) && error.code === "bad_request") return "refused";
    throw error;
  }
  return await requestAgent(options, {
    address: { url: parsed, trust: "registered" },
    method: "POST",
    headers: { authorization: "Bearer inbound-secret" },
    body: "{}",
    signal: AbortSignal.timeout(20_000),
    maxResponseBytes: 1000,
  });
}

/** Refused before anybody was asked, or after; never because nobody listened there. */
const GUARDED = ["not_public", "unresolvable", "malformed"];
const wasGuarded = (result: AgentResult | "refused") =>
  result === "refused" || (result.kind === "never_sent" && GUARDED.includes(result.cause));

describe("the corpus of addresses that are nobody's to dial", () => {
  it("has at least 300 cases", () => {
    expect(ssrfCorpus(1).length).toBeGreaterThanOrEqual(300);
  });

  it("reaches nobody: every case is refused by the guard and no connection is made", async () => {
    const asked: string[] = [];
    const passed: string[] = [];
    const run = async (one: SsrfCase) => {
      const resolve: Resolve = async (hostname) => {
        if (one.answers === undefined) asked.push(`${one.name} asked for ${hostname}`);
        return one.answers ?? [PUBLIC];
      };
      const result = await dial(one.url, { allowCidrs: [], resolve });
      if (!wasGuarded(result)) passed.push(`${one.name}: ${JSON.stringify(result)}`);
    };
    for (const one of ssrfCorpus(port)) await run(one);
    expect(passed).toEqual([]);
    expect(asked).toEqual([]);
    expect({ trapped, reached }).toEqual({ trapped: 0, reached: 0 });
  });

  it("is refused the same where the operator allowed another network", async () => {
    const passed: string[] = [];
    for (const address of [...SPECIAL_IPV4, ...SPECIAL_IPV6]) {
      const resolve: Resolve = async () => [PUBLIC, address];
      const result = await dial(`http://a.example:${port}/`, { allowCidrs: ALLOWED, resolve });
      if (!wasGuarded(result)) passed.push(address);
    }
    expect(passed).toEqual([]);
    expect({ trapped, reached }).toEqual({ trapped: 0, reached: 0 });
  });
});

describe("a name that is rebound", () => {
  it("reaches only the address that was checked, in 1,000 tries of four kinds", async () => {
    const before = reached;
    let expected = 0;
    const wrong: string[] = [];
    const kinds: Readonly<Record<string, (ask: number) => readonly string[]>> = {
      "public, then private": (ask) => (ask === 0 ? [PUBLIC] : ["127.0.0.1"]),
      "private, then public": (ask) => (ask === 0 ? ["127.0.0.1"] : [PUBLIC]),
      "round robin": (ask) => (ask % 2 === 0 ? [PUBLIC, "::1"] : ["127.0.0.1", PUBLIC]),
      "public, then mapped": (ask) => (ask === 0 ? [PUBLIC] : ["::ffff:127.0.0.1"]),
    };
    const names = Object.keys(kinds);
    for (let no = 0; no < 1000; no += 1) {
      const kind = names[no % names.length] ?? "";
      let asks = 0;
      const resolve: Resolve = async () => kinds[kind]?.(asks++) ?? [];
      const url = `http://rebound-${no}.example:${port}/`;
      const result = await dial(url, { allowCidrs: ALLOWED, resolve });
      const isPublic = kind.startsWith("public");
      if (isPublic) expected += 1;
      const isRight = isPublic
        ? result !== "refused" && result.kind === "answered"
        : wasGuarded(result);
      if (!isRight || asks !== 1) wrong.push(`${no} ${kind}, asked ${asks} times`);
    }
    expect(wrong).toEqual([]);
    expect({ trapped, reached: reached - before }).toEqual({ trapped: 0, reached: expected });
  });

  it("would fall into the trap without the guard", async () => {
    const before = trapped;
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("close", resolve));
    expect(trapped).toBe(before + 1);
    trapped = before;
  });
});

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308])("%i is an answer and is not followed", async (status) => {
    const resolve: Resolve = async () => [PUBLIC];
    const url = `http://moved.example:${port}/?status=${status}`;
    const result = await dial(url, { allowCidrs: ALLOWED, resolve });
    expect(result).toMatchObject({ kind: "answered", head: { status } });
    expect(trapped).toBe(0);
  });
});

describe("what the guard lets through", () => {
  it("is the address that was checked, as the public internet has it", async () => {
    const dialled = await dial(`http://a.example:${port}/`, {
      allowCidrs: ALLOWED,
      resolve: async () => [PUBLIC],
    });
    expect(dialled).toMatchObject({ kind: "answered", head: { status: 200 } });
    const { isDialable } = await import("./public-address.ts");
    for (const address of [PUBLIC_ADDRESS, "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1"]) {
      expect(isDialable(address, []), address).toBe(true);
    }
  });
});
