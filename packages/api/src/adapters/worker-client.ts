import { createHash, createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { WORKER_TERMINAL_PATH } from "@molecule/contracts/terminal";
import {
  WORKER_SIGNATURE_HEADER,
  type WorkerInput,
  type WorkerOperation,
  type WorkerOutput,
  workerOperations,
} from "@molecule/contracts/worker-api";
import type { Queryable } from "@molecule/db/database";
import { type LiveWorker, listLiveWorkers } from "@molecule/db/workers/live-workers";
import { DomainError, ERROR_CODES, type ErrorCode } from "@molecule/domain/errors";
import { TERMINAL_END_TEXTS } from "@molecule/domain/terminal";
import { WebSocket } from "ws";
import { z } from "zod";
import type { WorkerClient } from "../deps.ts";

/** Below the canvas's own limit of 15 s. Source: wire contract §1. */
const DEADLINE_MS = 12_000;
/** Operations that may take longer. Source: wire contract §15. */
const DEADLINES: Partial<Record<WorkerOperation, number>> = { "terminal.diagnose": 30_000 };

/** What the client of the workers is made from. */
export interface WorkerClientOptions {
  readonly db: Queryable;
  /** The launcher's `worker.key`; read with each call, so that a new key needs no restart. */
  readonly keyFile: string;
  /** Seconds since 1970, as the worker's clock has them. */
  readonly now: () => Date;
}

/** How long a worker's socket may take to open. */
const HANDSHAKE_MS = 5_000;

const failureBody = z.object({
  error: z.string(),
  code: z.enum(ERROR_CODES),
  next: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** Calls the live worker that is responsible for a workspace. */
export function createWorkerClient(options: WorkerClientOptions): WorkerClient {
  return {
    call: async (operation, input) => {
      const worker = responsibleWorker(await listLiveWorkers(options.db), input.workspaceId);
      if (worker === null) throw unreachable("No worker is running right now.");
      return await callWorker(options, worker, { operation, input });
    },
    callAll: async (operation, input) => {
      const workers = await listLiveWorkers(options.db);
      const answers = await Promise.allSettled(
        workers.map((worker) => callWorker(options, worker, { operation, input })),
      );
      return answers.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    },
    openTerminal: async (ask) => {
      const workers = await listLiveWorkers(options.db);
      const worker =
        ask.session === null
          ? responsibleWorker(workers, ask.workspaceId)
          : (workers.find(({ id }) => ask.session?.startsWith(`${id}.`)) ?? null);
      if (worker === null && ask.session !== null) {
        throw new DomainError("not_found", TERMINAL_END_TEXTS.gone.sentence);
      }
      if (worker === null) throw unreachable("No worker is running right now.");
      const query = new URLSearchParams({ ask: JSON.stringify(ask) }).toString();
      const path = `${WORKER_TERMINAL_PATH}?${query}`;
      const url = new URL(path, worker.url);
      url.protocol = "ws:";
      return new WebSocket(url, {
        headers: { [WORKER_SIGNATURE_HEADER]: await signatureOf(options, path, "") },
        handshakeTimeout: HANDSHAKE_MS,
        perMessageDeflate: false,
        followRedirects: false,
      });
    },
  };
}

/** Rendezvous hash: every server picks the same worker, and most keep theirs when one goes. */
function responsibleWorker(workers: readonly LiveWorker[], workspaceId: string): LiveWorker | null {
  let best: { worker: LiveWorker; score: string } | null = null;
  for (const worker of workers) {
    const score = createHash("sha256").update(`${worker.id}|${workspaceId}`).digest("hex");
    if (best === null || score > best.score) best = { worker, score };
  }
  return best?.worker ?? null;
}

interface Call<K extends WorkerOperation> {
  readonly operation: K;
  readonly input: WorkerInput<K>;
}

async function callWorker<K extends WorkerOperation>(
  options: WorkerClientOptions,
  worker: LiveWorker,
  { operation, input }: Call<K>,
): Promise<WorkerOutput<K>> {
  const path = `/v1/${operation}`;
  const body = JSON.stringify(input);
  const response = await fetch(new URL(path, worker.url), {
    method: "POST",
    body,
    redirect: "error",
    headers: {
      "content-type": "application/json",
      [WORKER_SIGNATURE_HEADER]: await signatureOf(options, path, body),
    },
    signal: AbortSignal.timeout(DEADLINES[operation] ?? DEADLINE_MS),
  }).catch((cause: unknown) => {
    throw unreachable("The worker did not answer in time.", cause);
  });
  const answer: unknown = await response.json().catch((cause: unknown) => {
    throw unreachable("The worker's answer could not be read.", cause);
  });
  if (!response.ok) throw failureOf(answer);
  const output: unknown = workerOperations[operation].output.parse(answer);
  return output as WorkerOutput<K>;
}

async function signatureOf(
  options: WorkerClientOptions,
  path: string,
  body: string,
): Promise<string> {
  const seconds = Math.floor(options.now().getTime() / 1000);
  const key = (await readFile(options.keyFile, "utf8")).trim();
  const mac = createHmac("sha256", key).update(`${seconds}\n${path}\n${body}`).digest("hex");
  return `${seconds}.${mac}`;
}

function failureOf(answer: unknown): DomainError {
  const parsed = failureBody.safeParse(answer);
  if (!parsed.success) return unreachable("The worker refused the request.");
  const { error, code, next, details } = parsed.data;
  const known: ErrorCode = code === "unauthenticated" ? "internal" : code;
  return new DomainError(known, error, {
    ...(next === undefined ? {} : { next }),
    ...(details === undefined ? {} : { details }),
  });
}

function unreachable(sentence: string, cause?: unknown): DomainError {
  return new DomainError("workspace_unreachable", sentence, {
    next: "Try again in a few seconds.",
    cause,
  });
}
