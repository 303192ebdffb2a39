import { readFile } from "node:fs/promises";
import path from "node:path";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import { type Product, startProduct } from "@molecule/testing/product";
import { realPart } from "@molecule/testing/require-real";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canStartEngine, type OwnEngine, startOwnEngine } from "./own-engine.fixture.ts";
import { Platform } from "./platform.ts";

/** Time enough on a busy machine; nothing waits that long when it works. */
const SOON = { timeoutMs: 90_000, everyMs: 100 };
const NAMES_ENGINE = /Docker engine/;
const NO_FAULT_OF_THE_AGENT = ["create", "files", "platform_upgrade"];

const isStartable = realPart(
  "a Docker engine of the test's own",
  canStartEngine(),
  "apt-get install docker.io, and run the tests as root",
);

describe.runIf(isStartable)("a Docker engine that goes away while containers run", () => {
  let engine: OwnEngine;
  let product: Product;
  let platform: Platform;

  beforeAll(async () => {
    engine = await startOwnEngine();
    product = await startProduct({
      env: {
        MOLECULE_BACKEND: "docker",
        DOCKER_HOST: engine.dockerHost,
        MOLECULE_SETTLE_SCALE: "0.1",
        // For the test, which asks often.
        RATE_LIMIT: "0",
      },
    });
    platform = new Platform(product.url, product.adminToken);
  }, 320_000);

  afterAll(async () => {
    await product?.stop();
    await engine?.[Symbol.asyncDispose]();
  }, 120_000);

  async function query<T>(procedure: string, input: unknown): Promise<T> {
    const asked = `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`;
    return (await platform.call<{ result: { data: T } }>("GET", asked)).result.data;
  }
  const nodeOf = (id: string) => query<WorkspaceNode>("workspaces.get", { id });
  const attemptsOf = async (id: string) =>
    (await query<AttemptView[]>("workspaces.attempts", { id })).toReversed();

  function until(id: string, what: string, isSo: (node: WorkspaceNode) => boolean) {
    return waitUntil(
      what,
      async () => {
        const node = await nodeOf(id);
        return isSo(node) ? node : null;
      },
      SOON,
    );
  }
  const namesEngine = (node: WorkspaceNode) => NAMES_ENGINE.test(node.failure?.sentence ?? "");

  function send(id: string, text: string): Promise<unknown> {
    const messageId = crypto.randomUUID();
    const message = { kind: "message", messageId, role: "user", parts: [{ kind: "text", text }] };
    const call = { jsonrpc: "2.0", id: messageId, method: "message/send", params: { message } };
    return platform.call("POST", `/workspaces/${id}/a2a`, call);
  }

  /** Everything of the workspace that the engine has is one container, which is this one. */
  async function containerOf(id: string): Promise<string> {
    const [container, ...others] = await engine.containers(`molecule.workspace=${id}`);
    expect(others).toEqual([]);
    return container ?? "";
  }

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "by %s is named on every card, is no crash, and everything saved runs once it is back",
    async (signal) => {
      const idle = await platform.create("Idle");
      const writer = await platform.create("Writer");
      for (const id of [idle, writer]) await platform.untilOnline(id);
      const booting = await platform.create("Booting");
      await until(booting, "its container runs", (node) =>
        ["BOOTING", "READY"].includes(node.phase),
      );

      await engine.end(signal);
      for (const id of [idle, writer, booting]) await until(id, "its card says it", namesEngine);
      const kept = `/workspaces/${writer}/files/kept.md`;
      await platform.call("PUT", kept, { content: `saved after ${signal}` });
      expect(await send(idle, "who are you")).toMatchObject({ queued: true });
      const late = await platform.create("Late");
      await until(late, "it waits with a sentence", namesEngine);
      await until(
        writer,
        "what was saved waits with a sentence",
        (node) => node.attempt?.no === 2 && namesEngine(node),
      );
      for (const id of [idle, writer, booting, late]) {
        expect((await nodeOf(id)).failure?.sentence).toMatch(NAMES_ENGINE);
        await expect(
          platform.call("GET", `/workspaces/${id}/files?root=/workspace`),
        ).rejects.toThrow(/: 503 .*"error":"[^"]*Docker engine/);
      }
      expect(await attemptsOf(idle)).toHaveLength(1);

      await engine.start();
      for (const id of [idle, writer, booting, late]) {
        await until(
          id,
          "it runs with everything that was saved",
          (node) =>
            node.status === "online" &&
            node.appliedGen === node.desiredGen &&
            node.attempt?.no === (id === late ? 1 : 2),
        );
      }
      expect(await engine.readFile(await containerOf(writer), "/configs/kept.md")).toBe(
        `saved after ${signal}`,
      );
      await waitUntil(
        "the message that was accepted meanwhile is answered",
        async () => {
          const rows = await platform.call<{ activity_type: string; response_body: unknown }[]>(
            "GET",
            `/workspaces/${idle}/activity?limit=50`,
          );
          const answers = rows.filter((row) => row.activity_type === "a2a_receive");
          return JSON.stringify(answers).includes("demo agent");
        },
        SOON,
      );
      for (const id of [idle, booting]) {
        expect((await attemptsOf(id))[1]?.detail.sentence).toMatch(NAMES_ENGINE);
      }
      for (const id of [idle, writer, booting, late]) {
        for (const { reason, outcome, failure } of await attemptsOf(id)) {
          expect(NO_FAULT_OF_THE_AGENT).toContain(reason);
          expect(["ready", "aborted"]).toContain(outcome);
          expect(failure).toBeNull();
        }
        await containerOf(id);
        await platform.call("DELETE", `/workspaces/${id}?confirm=true`);
      }
      const platformId = (await readFile(path.join(product.home, "platform-id"), "utf8")).trim();
      await waitUntil(
        "nothing is left on the engine",
        async () => (await engine.containers(`molecule.platform=${platformId}`)).length === 0,
        SOON,
      );
    },
    240_000,
  );

  it("does not keep the product from stopping", async () => {
    await engine.end("SIGTERM");
    await product.stop();
    expect(product.process.exitCode).toBe(0);
    expect(product.output()).not.toMatch(/was killed/);
  }, 120_000);
});
