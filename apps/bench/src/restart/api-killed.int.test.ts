import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import path from "node:path";
import { freePort, startProduct } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { Platform } from "../platform.ts";

/** Time enough on a busy machine; nothing waits that long when it works. */
const SOON = { timeoutMs: 90_000, everyMs: 100 };

/** Passes a request on and kills with its answer: the client never sees one byte of it. */
async function openDeadlyWay(
  target: number,
  kill: () => void,
): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((client) => {
    const onward = connect(target, "127.0.0.1");
    for (const socket of [client, onward]) socket.on("error", () => undefined);
    client.pipe(onward);
    onward.once("data", () => {
      kill();
      client.destroy();
      onward.destroy();
    });
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

it("I36 a server killed between commit and answer: the write counts, and its repetition is none", {
  timeout: 300_000,
}, async () => {
  await using product = await startProduct({
    env: { MOLECULE_BACKEND: "process", MOLECULE_SETTLE_SCALE: "0.02", RATE_LIMIT: "0" },
  });
  const platform = new Platform(product.url, product.adminToken);
  const serverPid = async () => {
    const text = await readFile(path.join(product.home, "run/server.json"), "utf8");
    return (JSON.parse(text) as { pid: number }).pid;
  };
  const id = await platform.create("Steady");
  await platform.untilOnline(id);
  const node = async () => {
    const asked = `/trpc/workspaces.get?input=${encodeURIComponent(JSON.stringify({ id }))}`;
    type Node = { result: { data: { desiredGen: number; appliedGen: number; status: string } } };
    return (await platform.call<Node>("GET", asked)).result.data;
  };
  const before = (await node()).desiredGen;
  const pid = await serverPid();
  let isKilled = false;
  await using way = await openDeadlyWay(product.port, () => {
    isKilled = true;
    process.kill(pid, "SIGKILL");
  });
  const dying = new Platform(way.url, product.adminToken);
  const file = `/workspaces/${id}/files/kept.md`;
  await expect(dying.call("PUT", file, { content: "committed" })).rejects.toThrow();
  expect(isKilled).toBe(true);
  await waitUntil(
    "another server answers",
    async () => (await node().catch(() => null)) !== null,
    SOON,
  );
  expect(await serverPid()).not.toBe(pid);
  expect(await platform.call("GET", file)).toMatchObject({ content: "committed" });
  expect((await node()).desiredGen).toBe(before + 1);
  await platform.call("PUT", file, { content: "committed" });
  expect((await node()).desiredGen).toBe(before + 1);
  await waitUntil(
    "it runs with the write",
    async () => {
      const seen = await node();
      return seen.status === "online" && seen.appliedGen === before + 1;
    },
    SOON,
  );
});
