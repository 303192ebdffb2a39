import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Product, startProduct } from "@molecule/testing/product";
import { listAgents } from "../instances.ts";
import { Platform } from "../platform.ts";
import type { Row } from "../table.ts";
import { ConfigurePage, type Opened } from "./configure-page.ts";
import { startDelayingProxy } from "./delaying-proxy.ts";

/** Added to every call of the page. */
const DELAY_MS = 200;
const ROUNDS = 25;
/** Fewer: the worker must not be taken for dead meanwhile. */
const FROZEN_ROUNDS = 5;
const NAME = "Reader";
const PREDECESSOR = "the predecessor's 7 calls, 4 deep, nothing drawn";

/** Opening Configure in the built product, behind a delay of 200 ms a call. */
export async function configRows(): Promise<Row[]> {
  await using product = await startProduct({
    env: { MOLECULE_BACKEND: "process", RATE_LIMIT: "0" },
    timeoutMs: 600_000,
  });
  const platform = new Platform(product.url, product.adminToken);
  const id = await createAgent(platform);
  await platform.untilOnline(id);
  const instructions = await savedInstructions(platform, id);
  await using proxy = await startDelayingProxy(product.url, DELAY_MS);
  await using page = await ConfigurePage.open(platform, proxy);
  const samples = {
    cold: [] as Opening[],
    warm: [] as Opening[],
    hover: [] as number[],
    frozen: [] as Opening[],
    predecessor: [] as { readonly ms: number; readonly calls: number }[],
  };
  // The first one fills the caches of browser and server.
  await page.begin(id, NAME);
  await page.press(instructions);
  await page.editAndDiscard();
  for (let round = 0; round < ROUNDS; round += 1) {
    await page.begin(id, NAME);
    samples.predecessor.push(await page.askAsPredecessor(id));
    samples.cold.push(await page.press(instructions));
    await page.begin(id, NAME);
    samples.hover.push(await page.hover());
    samples.warm.push(await page.press(instructions));
  }
  const thaw = await freeze(product);
  try {
    for (let round = 0; round < FROZEN_ROUNDS; round += 1) {
      await page.begin(id, NAME);
      samples.frozen.push(await page.press(instructions));
    }
  } finally {
    thaw();
  }
  const { cold, warm, hover, frozen, predecessor } = samples;
  const beside = { baseline: predecessor.map(({ ms }) => ms), baselineName: PREDECESSOR };
  const counted = { baseline: predecessor.map(({ calls }) => calls), baselineName: PREDECESSOR };
  const timed = { ...beside, unit: "ms", barAt: "p95" } as const;
  const calls = { ...counted, unit: "count", barAt: "p99" } as const;
  return [
    { row: "open Configure, cold: what is seen", ours: cold.map(seen), bar: 300, ...timed },
    { row: "all of it", ours: cold.map(whole), ...beside, unit: "ms" },
    { row: "requests of it", ours: cold.map((one) => one.calls), bar: 1, ...calls },
    {
      row: "open Configure after hovering: what is seen",
      ours: warm.map(seen),
      bar: 50,
      ...timed,
    },
    { row: "all of it", ours: warm.map(whole), ...beside, unit: "ms" },
    { row: "requests while hovering", ours: hover, bar: 1, ...calls },
    { row: "requests of it then", ours: warm.map((one) => one.calls), bar: 0, ...calls },
    {
      row: "open Configure, cold, while the agent and the worker stand still: what is seen",
      ours: frozen.map(seen),
      bar: 300,
      ...timed,
    },
  ];
}

type Opening = Opened & { readonly calls: number };
const seen = ({ seenMs }: Opened) => seenMs;
const whole = ({ wholeMs }: Opened) => wholeMs;

/** An agent as people make one: of a template, whose model and instructions the form has to show. */
async function createAgent(platform: Platform): Promise<string> {
  const wish = { name: NAME, template: "assistant" };
  return (await platform.call<{ id: string }>("POST", "/workspaces", wish)).id;
}

/** What the form has to show, asked of the platform past the page. */
async function savedInstructions(platform: Platform, workspaceId: string): Promise<string> {
  const input = encodeURIComponent(JSON.stringify({ workspaceId }));
  const { result } = await platform.call<{
    result: { data: { desired: { instructions: string } } };
  }>("GET", `/trpc/config.document?input=${input}`);
  const { instructions } = result.data.desired;
  if (instructions === "")
    throw new Error("without instructions nothing tells a form from an empty one");
  return instructions;
}

/**
 * Stops every process through which the workspace's machine could be asked: what opens now came without
 * a round trip to it. Returns what lets them go on.
 */
async function freeze(product: Product): Promise<() => void> {
  const platformId = (await readFile(path.join(product.home, "platform-id"), "utf8")).trim();
  const worker = await readFile(path.join(product.home, "run/worker.json"), "utf8");
  const agents = await listAgents("process", platformId, product.home);
  const pids = [
    (JSON.parse(worker) as { pid: number }).pid,
    ...agents.flatMap(({ pid }) => pid ?? []),
  ];
  if (pids.length < 2) throw new Error("the agent's process was not found");
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  return () => {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  };
}
