import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { ChatMessage } from "@molecule/contracts/panel";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import { type Product, startProduct } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listAgents } from "./instances.ts";
import { type Mischief, makeMischief } from "./mischief.fixture.ts";
import { Platform } from "./platform.ts";

/** Time enough on a busy machine; nothing waits that long when it works. */
const SOON = { timeoutMs: 30_000, everyMs: 100 };

let mischief: Mischief;
let product: Product;
let platform: Platform;
let steady = "";

async function start(home?: string): Promise<void> {
  product = await startProduct({
    ...(home === undefined ? {} : { home, port: product.port }),
    keepHome: true,
    env: {
      MOLECULE_BACKEND: "process",
      MOLECULE_SETTLE_SCALE: "0.02",
      MOLECULE_LEASE_MS: "500",
      MOLECULE_POLL_MS: "100",
      PROVISION_TIMEOUT_SECONDS: "10",
      // For the test, which asks often; the limit on notify is another one.
      RATE_LIMIT: "0",
      RUNTIME_BUNDLE: mischief.bundle,
    },
  });
  platform = new Platform(product.url, product.adminToken);
}

beforeAll(async () => {
  mischief = await makeMischief();
  await start();
  steady = await platform.create("Steady");
  await platform.untilOnline(steady);
}, 320_000);

afterAll(async () => {
  await product.stop();
  await rm(product.home, { recursive: true, force: true, maxRetries: 5 });
  await mischief[Symbol.asyncDispose]();
}, 60_000);

async function query<T>(procedure: string, input: unknown): Promise<T> {
  const asked = `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`;
  return (await platform.call<{ result: { data: T } }>("GET", asked)).result.data;
}

const nodeOf = (id: string) => query<WorkspaceNode>("workspaces.get", { id });
const attemptsOf = (id: string) => query<AttemptView[]>("workspaces.attempts", { id });

async function pidOf(name: "server" | "worker"): Promise<number | null> {
  const mark = await readFile(path.join(product.home, `run/${name}.json`), "utf8").catch(() => "");
  return mark === "" ? null : (JSON.parse(mark) as { pid: number }).pid;
}

/** What runs for the steady workspace. */
async function agents() {
  const platformId = (await readFile(path.join(product.home, "platform-id"), "utf8")).trim();
  const all = await listAgents("process", platformId, product.home);
  return all.filter((agent) => agent.workspaceId === steady);
}

/** The first answer of a platform that was away. */
function isBack(): Promise<unknown> {
  return waitUntil("the platform answers", () => nodeOf(steady).catch(() => null), SOON);
}

describe("an agent that misbehaves", () => {
  it("and floods notify is refused after sixty, and nobody else notices", async () => {
    const id = await platform.create("Flooder");
    await platform.untilOnline(id);
    // Only now: of a start that is tried again, an earlier try would have used some of the sixty.
    await mischief.flood();
    const told = await waitUntil(
      "it has sent everything",
      async () => {
        expect(await platform.ask(steady, "who are you")).toContain("demo agent");
        const file = `/workspaces/${id}/files/flood.json?root=/workspace`;
        return await platform.call<{ content: string }>("GET", file).catch(() => null);
      },
      { ...SOON, everyMs: 500 },
    );
    expect(JSON.parse(told.content)).toEqual({ 200: 60, 429: 140 });
    const page = await query<{ messages: ChatMessage[] }>("chat.history", {
      workspaceId: id,
      limit: 100,
    });
    expect(page.messages.map((message) => message.text)).toContain("flood 0");
    expect(page.messages).toHaveLength(60);
    expect((await nodeOf(id)).status).toBe("online");
    await platform.call("DELETE", `/workspaces/${id}?confirm=true`);
  }, 60_000);

  it("and never registers or ends at once is told in a sentence, and starts once the cause is gone", async () => {
    const silent = await platform.create("Silent");
    const quitter = await platform.create("Quitter");
    const late = await waitUntil(
      "the silent one's first try is given up",
      async () => (await attemptsOf(silent)).find((one) => one.outcome === "boot_timeout"),
      { timeoutMs: 60_000 },
    );
    expect(late.failure).toMatchObject({
      code: "boot_timeout",
      sentence: "The agent started but did not report within 10 s.",
    });
    const ended = await waitUntil(
      "the other is not tried any more",
      async () => {
        const node = await nodeOf(quitter);
        return node.status === "failed" ? node : null;
      },
      { timeoutMs: 60_000 },
    );
    expect(ended.failure).toMatchObject({ code: "exited_early" });
    expect(ended.failure?.sentence).toMatch(/ended before it reported/);
    const attempts = await attemptsOf(quitter);
    expect(attempts).toHaveLength(5);
    for (const attempt of attempts) expect(attempt.detail.sentence).not.toBe("");
    expect((await nodeOf(steady)).status).toBe("online");
    await mischief.heal();
    // The one that is still tried needs nobody; the one that was given up needs a click.
    await platform.call("POST", `/workspaces/${quitter}/restart`, {});
    for (const id of [quitter, silent]) {
      await waitUntil("it starts", async () => (await nodeOf(id)).status === "online", {
        timeoutMs: 60_000,
      });
      await platform.call("DELETE", `/workspaces/${id}?confirm=true`);
    }
  }, 200_000);
});

describe("kill -9 of the server in the middle of an answer", () => {
  it("loses neither the message nor the agent: the answer is there, or a sentence", async () => {
    const isAsked = (message: ChatMessage) => message.text === "count slowly to 12";
    const before = await attemptsOf(steady);
    const server = await pidOf("server");
    const turn = platform.firstTokenMs(steady, "count slowly to 12").catch(() => null);
    await waitUntil(
      "the agent is at work",
      async () => (await nodeOf(steady)).activeTasks > 0 || null,
      SOON,
    );
    process.kill(server ?? 0, "SIGKILL");
    await turn;
    await isBack();
    const { messages } = await waitUntil(
      "the turn has ended",
      async () => {
        const page = await query<{ messages: ChatMessage[] }>("chat.history", {
          workspaceId: steady,
          limit: 10,
        });
        const asked = page.messages.find(isAsked);
        return asked?.status === "ok" || asked?.status === "error" ? page : null;
      },
      SOON,
    );
    const asked = messages.find(isAsked);
    const answer = messages.find((message) => message.id === asked?.id.replace(/:q$/, ":a"));
    const isAnswered = answer?.role === "agent" && / 12$/.test(answer.text);
    const isExplained = /restarted/.test(`${asked?.error ?? ""}${answer?.error ?? ""}`);
    expect({ isAnswered, isExplained, messages }).toMatchObject(
      isAnswered ? { isAnswered } : { isExplained: true },
    );
    expect(await attemptsOf(steady)).toHaveLength(before.length);
  }, 90_000);
});

describe("kill -9 of the database", () => {
  it("keeps what was acknowledged, says 503 with a sentence meanwhile, and goes on by itself", async () => {
    const content = `kept ${Date.now()}`;
    await platform.call("PUT", `/workspaces/${steady}/files/kept.md`, { content });
    const pidFile = await readFile(path.join(product.home, "pg/postmaster.pid"), "utf8");
    process.kill(Number(pidFile.split("\n")[0]), "SIGKILL");
    const meanwhile = await platform
      .call("PUT", `/workspaces/${steady}/files/kept.md`, { content })
      .catch((error: unknown) => String(error));
    if (typeof meanwhile === "string") expect(meanwhile).toMatch(/: 503 .*"error":"[A-Z]/);
    const { length: restarts } = product.output().split("The server ended");
    await waitUntil(
      "the database runs again",
      () => product.output().includes("The database runs again."),
      SOON,
    );
    await isBack();
    const file = await platform.call<{ content: string }>(
      "GET",
      `/workspaces/${steady}/files/kept.md`,
    );
    expect(file.content).toBe(content);
    await waitUntil(
      "the agent runs with it",
      async () => {
        const node = await nodeOf(steady).catch(() => null);
        return node?.status === "online" && node.appliedGen === node.desiredGen;
      },
      SOON,
    );
    expect(product.output().split("The server ended")).toHaveLength(restarts);
    const [agent] = await agents();
    expect(await agent?.readConfig("kept.md")).toBe(content);
  }, 120_000);
});

describe("a restart", () => {
  it("C5: is told to its agent once, also when worker and server are killed in the middle of it", async () => {
    const id = await platform.create("Told");
    await platform.untilOnline(id);
    expect(await platform.ask(id, "why were you restarted")).toContain("Nobody has told me");
    await platform.call("PUT", `/workspaces/${id}/files/told.md`, { content: "canary-told" });
    for (const name of ["worker", "server"] as const) {
      const pid = await pidOf(name);
      if (pid !== null) process.kill(pid, "SIGKILL");
    }
    const node = await waitUntil(
      "it runs with the file",
      async () => {
        const seen = await nodeOf(id).catch(() => null);
        const isThere = seen?.status === "online" && seen.appliedGen === seen.desiredGen;
        return isThere && (seen.attempt?.no ?? 0) > 1 ? seen : null;
      },
      SOON,
    );
    const notes = async () => {
      const rows = await platform.call<{ summary: string; status: string }[]>(
        "GET",
        `/workspaces/${id}/activity?type=lifecycle`,
      );
      return rows.filter(({ summary }) => summary.startsWith("Telling Told"));
    };
    const told = `(attempt ${node.attempt?.no})`;
    await waitUntil(
      "its agent was told",
      async () => (await notes()).some((row) => row.status === "ok" && row.summary.endsWith(told)),
      SOON,
    );
    const answer = await platform.ask(id, "why were you restarted");
    expect(answer).toContain("files in /configs: told.md");
    expect(answer).not.toContain("canary");
    expect((await notes()).filter(({ summary }) => summary.endsWith(told))).toHaveLength(1);
  }, 120_000);
});

describe("the end of the platform", () => {
  it("by kill -9 of the launcher stops no agent: the next start adopts it without a restart", async () => {
    const before = await attemptsOf(steady);
    const [running] = await agents();
    product.process.kill("SIGKILL");
    await once(product.process, "exit");
    await waitUntil(
      "server and worker are gone",
      async () => {
        const isGone = await fetch(product.url).then(
          () => false,
          () => true,
        );
        return isGone;
      },
      SOON,
    );
    await start(product.home);
    await waitUntil("it is online", async () => (await nodeOf(steady)).status === "online", SOON);
    expect(await platform.ask(steady, "who are you")).toContain("demo agent");
    const [adopted, ...others] = await agents();
    expect(others).toEqual([]);
    expect(adopted?.env.MOLECULE_INSTANCE).toBe(running?.env.MOLECULE_INSTANCE);
    expect(await attemptsOf(steady)).toHaveLength(before.length);
  }, 120_000);

  it("by Ctrl-C stops local agents, and the next start starts them again and says why", async () => {
    const before = await attemptsOf(steady);
    product.process.kill("SIGINT");
    await once(product.process, "exit");
    expect(await agents()).toEqual([]);
    await start(product.home);
    await waitUntil(
      "it is online again",
      async () => {
        const node = await nodeOf(steady);
        return node.status === "online" && (await attemptsOf(steady)).length > before.length;
      },
      SOON,
    );
    // Newest first; on a slow machine the boot deadline of this product may cost another try.
    const first = (await attemptsOf(steady)).at(-before.length - 1);
    expect(first).toMatchObject({ reason: "platform_upgrade" });
    expect(first?.detail.sentence).toMatch(/started again/);
    expect((await nodeOf(steady)).failure).toBeNull();
  }, 120_000);
});
