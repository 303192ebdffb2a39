import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { FakePlatform } from "@molecule/testing/fake-platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { credentialFiles } from "./credential-files.ts";
import { callJson, NoAnswerError } from "./http-json.ts";
import { platformClient } from "./platform-client.ts";
import { findPeer } from "./platform-tools.ts";
import { retryDelayMs } from "./retry-delay.ts";

describe("a client of the platform", () => {
  let platform: FakePlatform;
  let folder: string;
  beforeEach(async () => {
    platform = await FakePlatform.start();
    folder = await mkdtemp(path.join(tmpdir(), "molecule-sdk-"));
    await writeFile(path.join(folder, ".auth_token"), platform.token);
  });
  afterEach(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const client = () =>
    platformClient({
      platformUrl: `${platform.url}/`,
      workspaceId: "ws-1",
      credentials: credentialFiles({ folder }),
    });
  const registration = { url: "http://127.0.0.1:1", agentCard: { name: "Ann" } };

  it("stores what register answers, with mode 0600", async () => {
    platform.onLifeSign = () => ({
      status: 200,
      body: { status: "registered", auth_token: "wst_new", platform_inbound_secret: "in" },
    });
    expect(await client().register(registration)).toEqual({ kind: "ok" });
    for (const [name, text] of [
      [".auth_token", "wst_new"],
      [".platform_inbound_secret", "in"],
    ] as const) {
      expect(await readFile(path.join(folder, name), "utf8")).toBe(text);
      expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600);
    }
  });

  it.each([
    [409, { kind: "superseded" }],
    [410, { kind: "removed" }],
    [500, { kind: "failed", status: 500, sentence: "no" }],
  ])("takes a %i as %j", async (status, expected) => {
    platform.onLifeSign = () => ({ status, body: { error: "no" } });
    expect(await client().heartbeat({})).toEqual(expected);
  });

  it("reports a platform that cannot be reached instead of throwing", async () => {
    const credentials = credentialFiles({ folder });
    const lost = platformClient({
      platformUrl: "http://127.0.0.1:9",
      workspaceId: "w",
      credentials,
    });
    expect(await lost.heartbeat({})).toMatchObject({ kind: "failed", status: undefined });
    await expect(lost.peers()).rejects.toBeInstanceOf(NoAnswerError);
  });

  it("reads the token again after a 401, once", async () => {
    const one = client();
    expect(await one.heartbeat({})).toEqual({ kind: "ok" });
    platform.token = "wst_next";
    expect(await one.heartbeat({})).toMatchObject({ kind: "failed", status: 401 });
    await writeFile(path.join(folder, ".auth_token"), "wst_next\n");
    expect(await one.heartbeat({})).toEqual({ kind: "ok" });
  });

  it("ends a call at its deadline and when it is cancelled", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", () => resolve()));
    const { port } = silent.address() as AddressInfo;
    const late = { method: "GET", url: `http://127.0.0.1:${port}`, headers: {} } as const;
    await expect(callJson({ ...late, deadlineMs: 50 })).rejects.toMatchObject({
      reason: "deadline",
    });
    silent.close();
    silent.closeAllConnections();
    const call = { method: "GET", url: "http://127.0.0.1:9", headers: {} } as const;
    const signal = AbortSignal.abort();
    await expect(callJson({ ...call, deadlineMs: 1000, signal })).rejects.toMatchObject({
      reason: "cancelled",
    });
    await expect(callJson({ ...call, deadlineMs: 1000 })).rejects.toMatchObject({
      reason: "transport",
    });
  });
});

describe("the delay before the next try", () => {
  it("doubles up to its cap, for ever, and is spread over the upper half", () => {
    const bounds = { baseMs: 100, capMs: 1000 };
    expect([1, 2, 3, 4, 5, 1e9].map((n) => retryDelayMs(n, bounds, 1))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
    expect(retryDelayMs(1, bounds, 0)).toBe(50);
  });
});

describe("the peer somebody means", () => {
  const peers = [
    { id: "1", name: "Bob", status: "online" },
    { id: "2", name: "Bobby", status: "online" },
    { id: "3", name: "Bobette", status: "online" },
  ];
  it.each([
    ["bob", "found"],
    ["3", "found"],
    ["bobb", "found"],
    ["bo", "several"],
    ["carl", "none"],
  ])("by %j is %s", (wanted, kind) => {
    expect(findPeer(peers, wanted).kind).toBe(kind);
  });
});
