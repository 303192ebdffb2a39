import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { ComputeBackend } from "../../provisioning/compute-backend.ts";
import { createDockerBackend } from "./docker-backend.ts";
import { instanceLabels } from "./names.ts";

const PLATFORM = "11111111-1111-4111-8111-111111111111";
const KEY = { workspaceId: "22222222-2222-4222-8222-222222222222", attemptNo: 1 };
const signal = new AbortController().signal;
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** What an engine answers to one kind of request, in turn; the last answer stays. */
interface Script {
  readonly stop: readonly number[];
  readonly remove: readonly number[];
  /** Whether the container is still there, asked before and after. */
  readonly exists: readonly boolean[];
}

/** A backend whose engine answers by the script. */
async function backendOf(script: Script): Promise<{ backend: ComputeBackend; asked: string[] }> {
  const asked: string[] = [];
  const take = <T>(all: readonly T[], kind: string): T => {
    const turn = asked.filter((one) => one === kind).length - 1;
    return all[Math.min(turn, all.length - 1)] as T;
  };
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(status === 204 || status === 304 ? undefined : JSON.stringify(body));
    };
    const path = request.url ?? "";
    const kind = path.includes("/stop")
      ? "stop"
      : request.method === "DELETE"
        ? "remove"
        : path.includes("/containers/json")
          ? "list"
          : "inspect";
    asked.push(kind);
    if (kind === "list") return answer(200, []);
    if (kind === "stop") return answer(take(script.stop, kind), { message: "engine's words" });
    if (kind === "remove") return answer(take(script.remove, kind), { message: "engine's words" });
    if (!take(script.exists, kind)) return answer(404, { message: "No such container" });
    const Labels = instanceLabels(PLATFORM, KEY);
    answer(200, { Id: "c1", Config: { Labels }, State: { Running: true }, NetworkSettings: {} });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const backend = createDockerBackend({
    platformId: PLATFORM,
    home: "/nowhere",
    version: "0.0.0",
    publicPort: 1,
    runtimeBundle: "/nowhere/dist/runtime.mjs",
    nodePath: process.execPath,
    dockerHost: `tcp://127.0.0.1:${port}`,
    agentPackage: async () => null,
    nowMs: () => 0,
  });
  return { backend, asked };
}

const GONE_AFTER = [true, false];

describe("removing an instance", () => {
  it("I30 is a success when there is no such container", async () => {
    const { backend, asked } = await backendOf({ stop: [500], remove: [500], exists: [false] });
    await backend.remove(KEY, signal);
    expect(asked).not.toContain("remove");
  });

  it.each([
    ["it was stopped already", 304, 204],
    ["it vanished before the stop", 404, 404],
    ["it vanished before the removal", 204, 404],
    ["its removal is in progress already", 409, 409],
    ["the stop failed and the removal by force did not", 500, 204],
  ])("I30 is a success when %s and the engine confirms it gone", async (_, stop, remove) => {
    const { backend } = await backendOf({ stop: [stop], remove: [remove], exists: GONE_AFTER });
    await backend.remove(KEY, signal);
  });

  it("waits for a removal in progress until the engine confirms it gone", async () => {
    const exists = [true, true, true, false];
    const { backend, asked } = await backendOf({ stop: [204], remove: [409], exists });
    await backend.remove(KEY, signal);
    expect(asked.filter((one) => one === "inspect")).toHaveLength(4);
  });

  it.each([
    ["stop", 400, 204],
    ["stop", 403, 204],
    ["stop", 503, 204],
    ["remove", 204, 400],
    ["remove", 204, 403],
    ["remove", 204, 500],
    ["remove", 500, 500],
  ])("is an error when the %s is answered %d, then %d", async (_, stop, remove) => {
    const { backend } = await backendOf({ stop: [stop], remove: [remove], exists: [true] });
    await expect(backend.remove(KEY, signal)).rejects.toMatchObject({
      failure: { code: "stop_failed" },
    });
  });

  it("I29 succeeds when it is repeated after three failures", async () => {
    const { backend } = await backendOf({
      stop: [500],
      remove: [500, 500, 500, 204],
      exists: [true, true, true, true, false],
    });
    for (let n = 0; n < 3; n += 1) await expect(backend.remove(KEY, signal)).rejects.toThrow();
    await backend.remove(KEY, signal);
  });
});
