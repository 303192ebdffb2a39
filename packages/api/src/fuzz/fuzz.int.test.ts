import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runAt, startTestAgent, type TestAgent } from "../a2a/test-agent.fixture.ts";
import { createTestApi, NO_WORKER, type TestApi, type TestCall } from "../api.fixture.ts";
import type { WorkerClient } from "../deps.ts";
import { type WatchedChanges, watchChanges } from "../watch-changes.fixture.ts";
import { type Random, randomOf } from "./random.fixture.ts";
import { oddText, oddValue, type ValueSource, valueFor } from "./schema-values.fixture.ts";
import { type Served, servedBy } from "./served.fixture.ts";

/**
 * Requests of every form to every route and procedure. Source: security C2 row 23. What comes is
 * an answer of the contract: no 5xx but those that say what is not there, and nothing changed on a 4xx.
 */
const IS_LONG = process.env.MOLECULE_TEST_LONG === "1";
const REQUESTS = Number(process.env.MOLECULE_FUZZ_REQUESTS ?? (IS_LONG ? 100_000 : 700));
const SEED = Number(process.env.MOLECULE_FUZZ_SEED ?? "20261121");
/** After so many the agent is put back to where it can be reached. */
const REFRESH_EVERY = 100;

/** Answers above 500 that the contract has: who was asked for is not there, or cannot. */
const TOLD = ["workspace_unreachable", "workspace_restarting", "agent_busy", "not_available_here"];
/** What needs a worker, of which there is none here. */
const WORKERS_OWN = /^\/admin\/(workspace-images|workspaces\/redeploy)/;
/** SPEC L5: a restart of what rests is refused, and told in the ledger. */
const LEDGER = /^(UPDATE|INSERT) (restart_requests|tallies)$/;
/** More workspaces than this slow everything down that is about all of them. */
const MOST_WORKSPACES = 20;

let api: TestApi;
let agent: TestAgent;
let changes: WatchedChanges;
let served: Served[];
let id: string;
let ids: string[];
let callers: TestCall[];

/** A worker that has every file there is. */
const worker: WorkerClient = {
  ...NO_WORKER,
  call: async (operation) => {
    const outputs: Readonly<Record<string, unknown>> = {
      "files.list": { entries: [], truncated: false },
      "files.read": { content: "", size: 0 },
      "files.write": { size: 0 },
      "files.delete": {},
      "logs.tail": { lines: [] },
      "terminal.diagnose": { remote: false, instanceId: null, steps: [] },
    };
    return outputs[operation] as never;
  },
  callAll: async () => [],
};

beforeAll(async () => {
  api = await createTestApi({ worker });
  agent = await startTestAgent();
  const removed = await api.createWorkspace({ name: "Removed" });
  await api.call("DELETE", `/workspaces/${removed}`);
  const external = await api.createWorkspace({ name: "Far", external: true });
  ids = ["", removed, external, "11111111-1111-4111-8111-111111111111"];
  await beginAnew();
  served = await servedBy(api, id);
  changes = await watchChanges(api.test);
});
afterAll(async () => {
  await agent.close();
  await api[Symbol.asyncDispose]();
});

/** A workspace that runs, and those who may ask about it. */
async function beginAnew(): Promise<void> {
  id = await api.createWorkspace({ name: "Ada" });
  ids[0] = id;
  const token = await api.tokenOf(id);
  const page = { token: null, headers: await api.signIn() };
  const operator: TestCall[] = Array.from({ length: 8 }, () => ({}));
  callers = [{ token }, { token }, page, page, { token: null }, { token: "nonsense" }, ...operator];
}

async function refresh(): Promise<void> {
  // Wrong sign-ins were among what was asked, and are limited.
  await api.test.sql`DELETE FROM rate_windows`;
  const all = await api.test.sql`SELECT id FROM workspaces WHERE intent <> 'deleted'`;
  if (all.length > MOST_WORKSPACES) {
    for (const one of all) await api.call("DELETE", `/workspaces/${one.id}?confirm=true`);
  }
  const row = await api.test.sql`SELECT intent FROM workspaces WHERE id = ${id}`;
  if (row[0]?.intent !== "run") await beginAnew();
  await runAt(api, id, agent.address);
}

const HEADERS: readonly string[] = [
  ...["x-workspace-id", "x-timeout", "if-match", "idempotency-key", "last-event-id", "range"],
  ...["content-type", "origin", "cookie", "accept", "x-molecule-org-id", "sec-fetch-site"],
];

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly call: TestCall;
}

function requestFor(one: Served, random: Random): Asked {
  const oddness = random.pick([0, 0.02, 0.1, 0.3]);
  const source: ValueSource = { random, oddness, ids };
  const caller = one.isAgents && random.chance(0.8) ? callers[0] : random.pick(callers);
  const input = one.schema === null ? oddValue(random) : valueFor(one.schema, source);
  const named =
    one.isAgents && typeof input === "object" ? { ...input, ...namesOf(random) } : input;
  const isQuery = one.path.startsWith("/trpc/") && one.method === "GET";
  const target = isQuery
    ? `${one.path}?input=${encodeURIComponent(textOf(named, random, oddness))}`
    : `${pathOf(one, random, oddness)}${queryOf(one, random)}`;
  const hasBody = one.method !== "GET" && !(one.method === "DELETE" && random.chance(0.8));
  return {
    method: one.method,
    target,
    call: {
      ...caller,
      headers: { ...caller?.headers, ...oddHeaders(random, oddness) },
      ...(hasBody ? { body: textOf(named, random, oddness) } : {}),
    },
  };
}

function namesOf(random: Random): object {
  return random.chance(0.9) ? { id, workspace_id: id } : {};
}

/** JSON, cut or doubled where it is to be odd. */
function textOf(value: unknown, random: Random, oddness: number): string {
  const text = JSON.stringify(value) ?? "";
  if (!random.chance(oddness / 3)) return text;
  const cut = random.below(text.length + 1);
  return random.pick([text.slice(0, cut), `${text}${text}`, `\ufeff${text}`, `${text},`, ""]);
}

function pathOf(one: Served, random: Random, oddness: number): string {
  return one.path.replace(/:\w+|\*$/g, (name) => {
    if (name === ":id") {
      const isUsual = !random.chance(oddness);
      return isUsual ? (random.chance(0.8) ? id : random.pick(ids)) : encoded(oddText(random));
    }
    return encoded(random.chance(0.3) ? random.pick(ids) : oddText(random));
  });
}

function queryOf(one: Served, random: Random): string {
  const pairs = one.query.flatMap((name) =>
    random.chance(0.5) ? [`${name}=${encoded(random.pick(["1", "true", oddText(random)]))}`] : [],
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function encoded(text: string): string {
  return encodeURIComponent(text.slice(0, 4000).replace(/[\ud800-\udfff]/g, "?"));
}

function oddHeaders(random: Random, oddness: number): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of HEADERS) {
    if (!random.chance(oddness / 4)) continue;
    const text = random.chance(0.3) ? id : oddText(random);
    headers[name] = text.replace(/[^\x20-\x7e]/g, "?").slice(0, 300);
  }
  return headers;
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

async function ask({ method, target, call }: Asked): Promise<Answered> {
  const startedAt = performance.now();
  const response = await api.call(method, target, call);
  const isStream = (response.headers.get("content-type") ?? "").startsWith("text/event-stream");
  const text = isStream ? "" : await response.text();
  if (isStream) await response.body?.cancel();
  return { status: response.status, text, ms: performance.now() - startedAt };
}

/** What is wrong with an answer; null when nothing is. */
function wrongWith({ status, text }: Answered): string | null {
  if (status < 400) return null;
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return text.startsWith("<!doctype html>") ? null : "no JSON";
  }
  const problem = ((body.error as { data?: { problem?: Record<string, unknown> } })?.data
    ?.problem ?? body) as Record<string, unknown>;
  if (typeof problem.error !== "string" || problem.error === "") return "no sentence";
  if (status < 500) return null;
  return TOLD.includes(String(problem.code)) ? null : `a ${status} that is ours`;
}

/** True when nothing is changed any more by what was asked before. */
async function rest(): Promise<number> {
  let last = -1;
  await waitUntil("nothing changes by itself", async () => {
    const at = await changes.position();
    const isSame = at === last;
    last = at;
    return isSame;
  });
  return last;
}

/** What a run has seen so far. */
class Run {
  readonly findings: string[] = [];
  readonly statuses = new Map<number, number>();
  readonly slowest = new Map<string, number>();
  #position = 0;

  async begin(): Promise<void> {
    await refresh();
    this.#position = await changes.position();
  }

  async try(no: number, one: Served, asked: Asked): Promise<void> {
    const answer = await ask(asked);
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1);
    const key = `${one.method} ${one.path}`;
    this.slowest.set(key, Math.max(this.slowest.get(key) ?? 0, answer.ms));
    const about = `#${no} ${asked.method} ${asked.target.slice(0, 300)} ${JSON.stringify(asked.call).slice(0, 600)} → ${answer.status} ${answer.text.slice(0, 300)}`;
    const isWorkers = answer.status === 503 && WORKERS_OWN.test(one.path);
    const wrong = isWorkers ? null : wrongWith(answer);
    if (wrong !== null) this.findings.push(`${wrong}: ${about}`);
    const isChanged = (await changes.position()) !== this.#position;
    if (isRefusal(answer) && isChanged) {
      const what = await this.#repeated(asked);
      if (what !== null) this.findings.push(`${what}: ${about}`);
    }
    this.#position = await changes.position();
  }

  /** Something of before may have gone on: what is asked again while nothing does, tells. */
  async #repeated(asked: Asked): Promise<string | null> {
    const before = await rest();
    const again = await ask(asked);
    const count = (await changes.position()) - before;
    if (!isRefusal(again) || count === 0) return null;
    const what = await changes.latest(count);
    const isLedger = again.status === 409 && again.text.includes("workspace_paused");
    return isLedger && what.every((one) => LEDGER.test(one)) ? null : what.join();
  }

  get refusals(): number {
    const refused = [...this.statuses].filter(([status]) => status >= 400 && status < 500);
    return refused.reduce((sum, [, count]) => sum + count, 0);
  }

  toString(): string {
    const slow = [...this.slowest].sort((a, b) => b[1] - a[1]).slice(0, 8);
    return `${JSON.stringify([...this.statuses].sort())} slowest ${JSON.stringify(slow)}`;
  }
}

function isRefusal({ status }: Answered): boolean {
  return status >= 400 && status < 500;
}

it(`answers ${REQUESTS} requests of every form, and changes nothing where it refuses`, async () => {
  const random = randomOf(SEED);
  const run = new Run();
  for (let no = 0; no < REQUESTS && run.findings.length < 10; no += 1) {
    if (no % REFRESH_EVERY === 0) await run.begin();
    const one = served[no] ?? random.pick(served);
    await run.try(no, one, requestFor(one, random));
  }
  if (IS_LONG || process.env.MOLECULE_FUZZ_TELL === "1") process.stdout.write(`fuzz: ${run}\n`);
  expect(run.findings).toEqual([]);
  expect(api.warnings.filter((line) => /failed/.test(line))).toEqual([]);
  expect(run.refusals).toBeGreaterThan(REQUESTS / 10);
}, 3_600_000);
