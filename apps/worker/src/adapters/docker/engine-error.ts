import { statfs } from "node:fs/promises";
import { BackendError } from "../../provisioning/compute-backend.ts";

/** How a call to the engine failed. Classified by status and system codes, never by text. */
export type EngineFailureKind =
  | "address"
  | "unreachable"
  | "denied"
  | "timeout"
  | "status"
  | "other";

/** A failed call to the engine; its message holds vendor text and is for the log only. */
export class EngineError extends Error {
  readonly kind: EngineFailureKind;
  /** The HTTP status of the engine's answer; null when there was none. */
  readonly status: number | null;

  constructor(what: string, kind: EngineFailureKind, detail: { status?: number; cause?: unknown }) {
    const text = detail.cause instanceof Error ? detail.cause.message : kind;
    super(`${what}: ${text}`, { cause: detail.cause });
    this.name = "EngineError";
    this.kind = kind;
    this.status = detail.status ?? null;
  }
}

/** Whether the engine answered with one of these statuses. */
export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof EngineError && error.status !== null && statuses.includes(error.status);
}

const DENIED = new Set(["EACCES", "EPERM"]);

/** An {@link EngineError} for whatever the client library threw. */
export function classify(what: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const fields = error as { statusCode?: unknown; code?: unknown };
  if (typeof fields.statusCode === "number") {
    return new EngineError(what, "status", { status: fields.statusCode, cause: error });
  }
  // Without a system code it is no answer and no lost connection either: a fault of ours.
  if (typeof fields.code !== "string") return new EngineError(what, "other", { cause: error });
  const kind = DENIED.has(fields.code) ? "denied" : "unreachable";
  return new EngineError(what, kind, { cause: error });
}

/** Below this the engine's disk counts as full when a call failed inside the engine. */
const FULL_BELOW_BYTES = 64 * 1024 * 1024;

/** What a failed operation was about, for the sentence of its {@link BackendError}. */
export interface Operation {
  /** "start the container", completes "The engine could not …". */
  readonly doing: string;
  readonly code: "create_failed" | "stop_failed" | "image_unavailable" | "internal";
  /** The engine's data folder, when it is on this machine and known. */
  readonly dataFolder?: string | undefined;
}

/** The {@link BackendError} that the port's callers see; the engine's own words stay in `cause`. */
export async function toBackendError(error: unknown, operation: Operation): Promise<BackendError> {
  if (error instanceof BackendError) return error;
  const known = classify(operation.doing, error);
  const fail = (
    failure: ConstructorParameters<typeof BackendError>[0],
    isRetryable: boolean,
  ): BackendError => new BackendError(failure, { isRetryable, cause: known });

  if (known.kind === "address") {
    return fail(
      {
        code: "engine_unavailable",
        sentence: "DOCKER_HOST names an engine in a way that Molecule does not speak.",
        next: "Set it to unix:///path/to/socket or tcp://host:port, or leave it out.",
      },
      false,
    );
  }
  if (known.kind === "denied") {
    return fail(
      {
        code: "engine_unavailable",
        sentence: "The Docker engine runs, but this user may not use it.",
        next: "Add the user that runs Molecule to the docker group and start Molecule again.",
      },
      true,
    );
  }
  if (known.kind === "unreachable" || known.kind === "timeout") {
    const how = known.kind === "timeout" ? "did not answer in time" : "does not answer";
    return fail(
      {
        code: "engine_unavailable",
        sentence: `The Docker engine ${how}.`,
        next: "Start the engine; Molecule tries again by itself.",
      },
      true,
    );
  }
  if ((known.status ?? 0) >= 500 && (await isDiskFull(operation.dataFolder))) {
    return fail(
      {
        code: "out_of_disk",
        sentence: "The disk that the Docker engine keeps its data on is full.",
        next: "Free some space (docker system df shows what uses it), then retry.",
      },
      true,
    );
  }
  // A 4xx says that the same request fails again; a 5xx may be a state that passes.
  return fail(
    {
      code: operation.code,
      sentence: `Molecule could not ${operation.doing}${known.status === null ? "" : ` (the engine's status was ${known.status})`}.`,
      next: "Retry; if it fails again, the worker's log has the engine's own words.",
    },
    known.status === null || known.status >= 500 || known.status === 409,
  );
}

async function isDiskFull(folder: string | undefined): Promise<boolean> {
  if (folder === undefined) return false;
  try {
    const { bavail, bsize, ffree, files } = await statfs(folder);
    return bavail * bsize < FULL_BELOW_BYTES || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}
