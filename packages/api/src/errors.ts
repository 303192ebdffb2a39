import { randomUUID } from "node:crypto";
import type { Problem } from "@molecule/contracts/procedures";
import { isConnectionError, isOutOfDisk } from "@molecule/db/database";
import { DomainError, type ErrorCode, isDomainError } from "@molecule/domain/errors";
import type { TRPC_ERROR_CODE_KEY } from "@trpc/server/rpc";
import { ZodError } from "zod";

/** Where each code goes in tRPC; exhaustive, so a new code does not compile until placed. */
export const TRPC_CODES: Readonly<Record<ErrorCode, TRPC_ERROR_CODE_KEY>> = {
  bad_request: "BAD_REQUEST",
  unauthenticated: "UNAUTHORIZED",
  forbidden: "FORBIDDEN",
  not_found: "NOT_FOUND",
  removed: "NOT_FOUND",
  superseded: "CONFLICT",
  conflict: "CONFLICT",
  version_conflict: "CONFLICT",
  confirmation_required: "CONFLICT",
  payload_too_large: "PAYLOAD_TOO_LARGE",
  unsupported_media_type: "UNSUPPORTED_MEDIA_TYPE",
  unprocessable: "UNPROCESSABLE_CONTENT",
  rate_limited: "TOO_MANY_REQUESTS",
  budget_exceeded: "PAYMENT_REQUIRED",
  missing_required_key: "PRECONDITION_FAILED",
  workspace_paused: "CONFLICT",
  workspace_restarting: "SERVICE_UNAVAILABLE",
  workspace_unreachable: "SERVICE_UNAVAILABLE",
  agent_busy: "SERVICE_UNAVAILABLE",
  upstream_failed: "BAD_GATEWAY",
  upstream_timeout: "GATEWAY_TIMEOUT",
  not_available_here: "NOT_IMPLEMENTED",
  secret_unreadable: "PRECONDITION_FAILED",
  platform_unavailable: "SERVICE_UNAVAILABLE",
  internal: "INTERNAL_SERVER_ERROR",
};

/** Where each code goes in plain HTTP. Source: wire contract, by section; exhaustive. */
export const HTTP_STATUSES: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  removed: 410,
  superseded: 409,
  conflict: 409,
  version_conflict: 409,
  confirmation_required: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  rate_limited: 429,
  budget_exceeded: 402,
  missing_required_key: 412,
  workspace_paused: 409,
  workspace_restarting: 503,
  workspace_unreachable: 503,
  agent_busy: 503,
  upstream_failed: 502,
  upstream_timeout: 504,
  not_available_here: 501,
  secret_unreadable: 412,
  platform_unavailable: 503,
  internal: 500,
};

/**
 * The failure as it may leave the system. A {@link DomainError} keeps its sentence, a refused input
 * names the first field that is wrong, a lost database is `platform_unavailable`, everything else is
 * `internal` and its message stays in the log.
 */
export function toDomainError(error: unknown): DomainError {
  if (isDomainError(error)) return error;
  if (error instanceof ZodError) return fromZod(error);
  if (isConnectionError(error)) {
    return new DomainError("platform_unavailable", "The database cannot be reached right now.", {
      next: "Nothing is lost. Try again in a moment.",
      cause: error,
    });
  }
  if (isOutOfDisk(error)) {
    return new DomainError("platform_unavailable", "The database's disk is full.", {
      next: "Nothing was changed. Free some space on it and try again.",
      cause: error,
    });
  }
  return new DomainError("internal", "Something went wrong on the platform.", {
    next: "Try again. If it happens again, look for the request id in the server's log.",
    cause: error,
  });
}

/** The body of a failed answer; the same for tRPC (`data.problem`) and plain HTTP. */
export function problemOf(error: DomainError, requestId: string): Problem {
  return {
    code: error.code,
    error: error.message,
    ...(error.next === undefined ? {} : { next: error.next }),
    request_id: requestId,
    ...(Object.keys(error.details).length === 0 ? {} : { details: { ...error.details } }),
  };
}

/** A new request id; also the correlation id of the log line. */
export function newRequestId(): string {
  return randomUUID();
}

function fromZod(error: ZodError): DomainError {
  const issue = error.issues[0];
  const field = issue === undefined ? "" : issue.path.map(String).join(".");
  const what = issue === undefined ? "is not valid" : issue.message;
  const sentence =
    field === ""
      ? `The request is not valid: ${what}.`
      : `The field “${field}” is not valid: ${what}.`;
  return new DomainError("bad_request", sentence, { details: field === "" ? {} : { field } });
}
