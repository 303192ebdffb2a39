/** Every way a request can fail, once. Two exhaustive tables in `packages/api` place each code. */
export const ERROR_CODES = [
  "bad_request",
  "unauthenticated",
  "forbidden",
  "not_found",
  "removed",
  "superseded",
  "conflict",
  "version_conflict",
  "confirmation_required",
  "payload_too_large",
  "unsupported_media_type",
  "unprocessable",
  "rate_limited",
  "budget_exceeded",
  "missing_required_key",
  "workspace_paused",
  "workspace_restarting",
  "workspace_unreachable",
  "agent_busy",
  "upstream_failed",
  "upstream_timeout",
  "not_available_here",
  "secret_unreadable",
  "platform_unavailable",
  "internal",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Extra parts of a {@link DomainError}. `sentence` and `next` are shown to a person. */
export interface DomainErrorOptions {
  /** What the person can do now. Absent when nothing helps but waiting. */
  readonly next?: string;
  /** Data a client may read; never secrets, never vendor text. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A failure with a closed code and a sentence for a person. Match on `code`, never on the text. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly next: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, sentence: string, options: DomainErrorOptions = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DomainError";
    this.code = code;
    this.next = options.next;
    this.details = options.details ?? {};
  }
}

/** True for a {@link DomainError}, also one that another copy of this module made. */
export function isDomainError(value: unknown): value is DomainError {
  return (
    value instanceof Error &&
    "code" in value &&
    (ERROR_CODES as readonly unknown[]).includes(value.code) &&
    "details" in value
  );
}

/**
 * Why a provisioning attempt failed, as a person may read it. Adapters classify vendor errors into
 * these; vendor text goes to the log only.
 */
export const FAILURE_CODES = [
  "missing_required_key",
  "secret_unreadable",
  "image_unavailable",
  "engine_unavailable",
  "agent_not_installed",
  "out_of_disk",
  "exited_early",
  "boot_timeout",
  "stop_failed",
  "create_failed",
  "backend_unavailable",
  "internal",
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

/** What the card says of a failed attempt: the code, one sentence, and the next step. */
export interface PublicFailure {
  readonly code: FailureCode;
  readonly sentence: string;
  readonly next: string;
  /** Names of missing keys, when `code` is `missing_required_key`. */
  readonly missing?: readonly string[] | undefined;
}
