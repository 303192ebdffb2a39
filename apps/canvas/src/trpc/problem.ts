/** A failed call as a person reads it. */
export interface ReadProblem {
  /** A `DomainError` code, or `network` when no answer came. */
  readonly code: string;
  /** One sentence: what happened. */
  readonly sentence: string;
  /** What to do; absent when nothing helps. */
  readonly next: string | undefined;
  readonly requestId: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  /** The same call may succeed in a moment. */
  readonly isTemporary: boolean;
}

const TEMPORARY_CODES = new Set(["network", "platform_unavailable"]);

/** The problem inside whatever a call threw; never throws itself. */
export function readProblem(error: unknown): ReadProblem {
  const body = problemBody(error);
  if (body !== null) {
    const code = text(body.code) ?? "internal";
    return {
      code,
      sentence: text(body.error) ?? "The platform refused this request.",
      next: text(body.next),
      requestId: text(body.request_id),
      details: isRecord(body.details) ? body.details : {},
      isTemporary: TEMPORARY_CODES.has(code),
    };
  }
  return {
    code: "network",
    sentence: "The platform did not answer.",
    next: "Check that it is running, then try again.",
    requestId: undefined,
    details: {},
    isTemporary: true,
  };
}

/** The `problem` of a tRPC error, or the body of a plain HTTP error, wherever it is. */
function problemBody(error: unknown): Record<string, unknown> | null {
  if (!isRecord(error)) return null;
  const data = error.data;
  if (isRecord(data) && isRecord(data.problem)) return data.problem;
  if (typeof error.code === "string" && typeof error.error === "string") return error;
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
