import type { WorkerOutput } from "@molecule/contracts/worker-api";
import type { Database } from "@molecule/db/database";
import { findPlace } from "@molecule/db/lifecycle/find-place";
import type { Backend } from "@molecule/domain/sets";
import { TERMINAL_END_TEXTS, type TerminalEnd } from "@molecule/domain/terminal";
import {
  BackendError,
  type ComputeBackend,
  type DiagnoseStage,
  type Instance,
} from "../provisioning/compute-backend.ts";

/** What the diagnosis needs. */
export interface DiagnoseDeps {
  readonly db: Database;
  readonly backendOf: (kind: Backend) => ComputeBackend | null;
}

type Diagnosed = WorkerOutput<"terminal.diagnose">;

/** Of all stages together. Source: wire contract §15. */
const DEADLINE_MS = 28_000;

/**
 * The stages of getting a terminal, up to the first that fails. On this machine they are those of the
 * contract's local mode: `docker-available` (only when it fails) is whatever gives shells here,
 * `container-found` and `container-running` are the instance.
 */
export async function diagnoseTerminal(
  deps: DiagnoseDeps,
  workspaceId: string,
): Promise<Diagnosed> {
  const place = await findPlace(deps.db, workspaceId);
  if (place === null || place.intent === "deleted") {
    return local(null, [failed("container-found", 0, "gone")]);
  }
  const backend = deps.backendOf(place.backend);
  const access = backend?.terminal;
  if (backend === null || access === undefined) {
    const end = place.backend === "external" ? "elsewhere" : "unreachable";
    return local(null, [failed("docker-available", 0, end)]);
  }
  if (access.isOff) return local(null, [failed("docker-available", 0, "off")]);
  const key = { workspaceId, attemptNo: place.attemptNo };
  if (access.diagnose !== undefined) {
    const stages = await access.diagnose(key, AbortSignal.timeout(DEADLINE_MS));
    const found = await backend.inspect(key).catch(() => null);
    return { remote: true, instanceId: found?.providerId ?? null, steps: stages.map(stepOf) };
  }
  return await diagnoseHere(backend, key);
}

async function diagnoseHere(
  backend: ComputeBackend,
  key: { readonly workspaceId: string; readonly attemptNo: number },
): Promise<Diagnosed> {
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  let instance: Instance | null;
  try {
    instance = await backend.inspect(key);
  } catch (error) {
    return local(null, [stepOf(unavailable(error, elapsed()))]);
  }
  if (instance === null) {
    return local(null, [failed("container-found", elapsed(), "not_running")]);
  }
  const found = { name: "container-found", ok: true, duration_ms: elapsed() };
  if (instance.state !== "running") {
    const step = failed("container-running", 0, "not_running");
    const detail = instance.exit === null ? {} : { detail: `it ended: ${instance.exit}` };
    return local(instance, [found, { ...step, ...detail }]);
  }
  return local(instance, [found, { name: "container-running", ok: true, duration_ms: 0 }]);
}

function unavailable(error: unknown, durationMs: number): DiagnoseStage {
  const known = error instanceof BackendError ? error.failure : null;
  return {
    name: "docker-available",
    ok: false,
    durationMs,
    error: known === null ? TERMINAL_END_TEXTS.unreachable.sentence : known.sentence,
    ...(known === null ? {} : { detail: known.code }),
  };
}

function local(instance: Instance | null, steps: Diagnosed["steps"]): Diagnosed {
  return { remote: false, instanceId: instance?.providerId ?? null, steps };
}

function failed(name: string, durationMs: number, end: TerminalEnd): Diagnosed["steps"][number] {
  const error = TERMINAL_END_TEXTS[end].sentence;
  return { name, ok: false, duration_ms: durationMs, error, detail: end };
}

function stepOf({
  name,
  ok,
  durationMs,
  error,
  detail,
}: DiagnoseStage): Diagnosed["steps"][number] {
  return {
    name,
    ok,
    duration_ms: Math.round(durationMs),
    ...(error === undefined ? {} : { error }),
    ...(detail === undefined ? {} : { detail }),
  };
}
