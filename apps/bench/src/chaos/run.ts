import { setMaxListeners } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Product, startProduct } from "@molecule/testing/product";
import { waitUntil } from "@molecule/testing/wait-until";
import postgres from "postgres";
import { createDice } from "../chaos-writes.ts";
import { listAgents, type RunningAgent } from "../instances.ts";
import type { OwnEngine } from "../own-engine.fixture.ts";
import { live, pressedOf, probeStorms, type Stage } from "./actors.ts";
import { createPatientClient } from "./client.ts";
import { Crew } from "./crew.ts";
import { doFaults, type FaultCounts, type FaultPace } from "./faults.ts";
import { checkHistory, type Verdict } from "./history.ts";
import { leftBehind } from "./left-behind.ts";
import { lookCloser } from "./look-closer.ts";
import {
  type Durations,
  patiently,
  readAttempts,
  readChanges,
  readDurations,
  startRecording,
} from "./recorder.ts";
import { makeWitnessBundle, type WitnessBundle } from "./witness.ts";

/** A storm on the built product. */
export interface StormOptions {
  readonly minutes: number;
  readonly backend: "process" | "docker";
  readonly workspaces: number;
  readonly seed: number;
  readonly pace: FaultPace;
  /** What containers run on, to be stopped and killed; null: the machine's own, which is left alone. */
  readonly engine: OwnEngine | null;
  readonly say: (line: string) => void;
}

/** What the storm was and what it left. Lists are empty when the promises were kept. */
export interface StormResult {
  readonly scale: { readonly settle: number; readonly leaseMs: number; readonly pollMs: number };
  readonly counts: Stage["counts"];
  readonly faults: FaultCounts;
  readonly writes: number;
  readonly attempts: number;
  /** Attempts by reason, with the outcome when it was neither ready nor superseded. */
  readonly byReason: Readonly<Record<string, number>>;
  readonly witnessed: number;
  readonly durations: Durations;
  /** From the last fault until everything rested, in ms; null: it never did. */
  readonly restAfterMs: number | null;
  readonly broken: Verdict & {
    /** Requests that were refused, answered oddly, or never acknowledged. */
    readonly refused: readonly string[];
    /** Workspaces that did not come to rest. */
    readonly stalled: readonly string[];
    /** Values that a running instance does not have at rest. */
    readonly lost: readonly string[];
    /** Instances, rows, tokens and folders that should not be, at rest and after deletion. */
    readonly leaked: readonly string[];
  };
}

const SETTLE = 0.02;
const LEASE_MS = 500;
const POLL_MS = 100;
/** A worker on a busy machine needs about this long to start. */
const WORK_MS = 3_000;
const REST_WITHIN_MS = 120_000;
/** Quiet after which even a stream of settings has ended, and the hard limit; unscaled, in ms. */
const STREAM_GAP_MS = 10_000;
const HARD_LIMIT_MS = 900_000;

interface Bed {
  readonly options: StormOptions;
  readonly product: Product;
  readonly sql: postgres.Sql;
  readonly stage: Stage;
  readonly platformId: string;
}

/** Lives through `minutes` of faults and judges the whole history afterwards. */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  await using witness = await makeWitnessBundle();
  await using product = await startProduct({
    env: {
      MOLECULE_SETTLE_SCALE: String(SETTLE),
      MOLECULE_LEASE_MS: String(LEASE_MS),
      MOLECULE_POLL_MS: String(POLL_MS),
      MOLECULE_STOP_GRACE_MS: "2000",
      MOLECULE_BACKEND: options.backend,
      RATE_LIMIT: "0",
      ...(options.backend === "process" ? { RUNTIME_BUNDLE: witness.bundle } : {}),
      ...(options.engine === null ? {} : { DOCKER_HOST: options.engine.dockerHost }),
    },
    timeoutMs: 300_000,
  });
  const url = (await readFile(path.join(product.home, "run/database-url"), "utf8")).trim();
  const sql = postgres(url, { max: 2, onnotice: () => undefined });
  try {
    await startRecording(sql);
    await using crew = new Crew(product);
    await crew.reinforce({ workers: 3, servers: 1 });
    const isOver = new AbortController();
    // Every writer's pause listens to it.
    setMaxListeners(0, isOver.signal);
    const dice = createDice(options.seed);
    const stage: Stage = {
      client: createPatientClient({ urls: () => crew.urls, token: product.adminToken, dice }),
      dice,
      subjects: [],
      writes: [],
      killings: [],
      refused: [],
      isOver: isOver.signal,
      counts: { requests: 0, batches: 0, turns: 0, probes: 0, deletes: 0 },
    };
    const platformId = (await readFile(path.join(product.home, "platform-id"), "utf8")).trim();
    const bed = { options, product, sql, stage, platformId };
    const faults = await storm(bed, crew, isOver);
    options.say(`the storm is over: ${JSON.stringify({ ...stage.counts, ...faults })}`);
    return await judge(bed, faults, witness);
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function storm(bed: Bed, crew: Crew, isOver: AbortController): Promise<FaultCounts> {
  const { options, stage, product, platformId } = bed;
  const counts: FaultCounts = {
    workerKills: 0,
    serverKills: 0,
    agentKills: 0,
    stops: 0,
    databaseRestarts: 0,
    engineRestarts: 0,
  };
  const timer = setTimeout(() => isOver.abort(), options.minutes * 60_000);
  const { pace, backend, engine } = options;
  const { home } = product;
  try {
    await Promise.all([
      doFaults({
        crew,
        stage,
        leaseMs: LEASE_MS,
        workMs: WORK_MS,
        backend,
        platformId,
        home,
        engine,
        pace,
        counts,
      }),
      // The first one is never deleted, so that one history is as long as the run.
      ...Array.from({ length: options.workspaces }, (_, index) => live(stage, index > 0)),
      probeStorms(stage),
    ]);
  } finally {
    clearTimeout(timer);
    isOver.abort();
  }
  return counts;
}

async function judge(bed: Bed, faults: FaultCounts, witness: WitnessBundle): Promise<StormResult> {
  const { sql, stage, options } = bed;
  const { stalled, restAfterMs } = await untilRest(bed);
  const lost = await lostAtRest(bed);
  const leakedAtRest = await leaksAtRest(bed);
  const attempts = await readAttempts(sql);
  const witnesses = options.backend === "process" ? await witness.read() : [];
  const verdict = checkHistory(
    {
      attempts,
      witnesses,
      changes: await readChanges(sql),
      writes: stage.writes,
      pressed: pressedOf(stage.subjects),
      killings: stage.killings,
    },
    { streamGapMs: STREAM_GAP_MS * SETTLE, hardLimitMs: HARD_LIMIT_MS * SETTLE },
  );
  const durations = await readDurations(sql, LEASE_MS);
  const byReason: Record<string, number> = {};
  for (const { reason, outcome } of attempts) {
    const name =
      outcome === "ready" || outcome === "superseded" ? `${reason}` : `${reason}/${outcome}`;
    byReason[name] = (byReason[name] ?? 0) + 1;
  }
  const leakedAfterDelete = await leaksAfterDelete(bed);
  return {
    scale: { settle: SETTLE, leaseMs: LEASE_MS, pollMs: POLL_MS },
    counts: stage.counts,
    faults,
    writes: stage.writes.length,
    attempts: attempts.length,
    byReason,
    witnessed: witnesses.length,
    durations,
    restAfterMs,
    broken: {
      ...verdict,
      refused: stage.refused,
      stalled,
      lost,
      leaked: [...leakedAtRest, ...leakedAfterDelete],
    },
  };
}

async function untilRest({ sql, options }: Bed) {
  const began = performance.now();
  let busy: readonly Record<string, unknown>[] = [];
  const isAtRest = async () => {
    busy = await patiently(
      () => sql`
        SELECT id, intent, phase, desired_gen, applied_gen, failure->>'code' AS failure, next_action_at, lease_until
        FROM workspaces WHERE lease_until > now()
          OR (intent = 'run' AND (phase <> 'READY' OR desired_gen <> applied_gen OR force_seq <> applied_force))
          OR (intent = 'paused' AND phase <> 'PAUSED') OR (intent = 'deleted' AND phase <> 'DELETED')`,
    );
    return busy.length === 0;
  };
  const restAfterMs = await waitUntil("all rest", isAtRest, {
    timeoutMs: REST_WITHIN_MS,
    everyMs: 100,
  }).then(
    () => Math.round(performance.now() - began),
    () => null,
  );
  if (restAfterMs === null && options.backend === "docker") {
    for (const { id } of busy) options.say(`${id}: ${await lookCloser(String(id))}`);
  }
  const stalled = restAfterMs === null ? busy.map((row) => JSON.stringify(row)) : [];
  return { stalled, restAfterMs };
}

/** Files and environment of every running instance against what was acknowledged last. */
async function lostAtRest({ options, product, stage, platformId }: Bed): Promise<string[]> {
  const lost: string[] = [];
  const agents = await listAgents(options.backend, platformId, product.home);
  for (const agent of agents) {
    const subject = stage.subjects.find((one) => one.id === agent.workspaceId);
    for (const [name, value] of subject?.known ?? []) {
      const is = await valueIn(agent, name);
      if (is !== value) lost.push(`${agent.workspaceId} ${name}: ${is} instead of ${value}`);
    }
  }
  return lost;
}

/** What an instance has under a name of the history; null: absent. */
async function valueIn(agent: RunningAgent, name: string): Promise<string | null> {
  const [kind, key = ""] = name.split(/ (.*)/);
  if (kind === "file") return await agent.readConfig(key);
  if (kind === "secret") return agent.env[key] ?? null;
  if (key === "model") return agent.env.MODEL ?? null;
  return await agent.readConfig("system-prompt.md");
}

/** One instance, one machine row and one live token per running workspace, and nothing else. */
async function leaksAtRest({ options, product, sql, platformId }: Bed): Promise<string[]> {
  const leaked: string[] = [];
  const agents = await listAgents(options.backend, platformId, product.home);
  const rows = await sql`
    SELECT w.id, w.intent, w.current_attempt::int AS no,
      (SELECT coalesce(array_agg(m.current_attempt::int), '{}') FROM machines m WHERE m.workspace_id = w.id AND m.removed_at IS NULL) AS machines,
      (SELECT coalesce(array_agg(t.attempt_no::int), '{}') FROM workspace_tokens t
        WHERE t.workspace_id = w.id AND t.kind = 'attempt' AND t.revoked_at IS NULL) AS tokens
    FROM workspaces w`;
  for (const row of rows) {
    const should = row.intent === "run" ? [row.no] : [];
    const found = {
      instances: agents.filter((one) => one.workspaceId === row.id).map((one) => one.attemptNo),
      machines: row.machines as number[],
      // The token of a paused workspace's last attempt stays until the next attempt or its deletion.
      tokens: row.intent === "paused" ? [] : (row.tokens as number[]),
    };
    for (const [what, numbers] of Object.entries(found)) {
      if (`${numbers}` === `${should}`) continue;
      leaked.push(
        `${row.id} (${row.intent}): ${what} of attempts [${numbers}], expected [${should}]`,
      );
    }
  }
  return leaked;
}

async function leaksAfterDelete(bed: Bed): Promise<string[]> {
  const { options, product, sql, stage, platformId } = bed;
  const rows = await sql`SELECT id FROM workspaces WHERE intent <> 'deleted'`;
  for (const { id } of rows) {
    const path = `/workspaces/${id}?confirm=true`;
    await stage.client.call({ method: "DELETE", path, alsoFine: [404, 410] });
  }
  return await leftBehind({ sql, backend: options.backend, platformId, home: product.home });
}
