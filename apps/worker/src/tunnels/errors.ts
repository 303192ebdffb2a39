import { DomainError, isDomainError } from "@molecule/domain/errors";
import type { FileFault, TunnelFault } from "@molecule/domain/sets";
import {
  isRetryableFault,
  sentenceOfFault,
  type TunnelFacts,
  type UseFailure,
} from "@molecule/domain/tunnel-faults";

/** A connection that cannot be made or is over. Match on `fault`; the words of others are in `cause`. */
export class TunnelError extends Error {
  readonly kind = "tunnel";
  readonly fault: TunnelFault;
  readonly facts: TunnelFacts;

  constructor(fault: TunnelFault, facts: TunnelFacts = {}, options?: ErrorOptions) {
    super(sentenceOfFault(fault), options);
    this.name = "TunnelError";
    this.fault = fault;
    this.facts = facts;
  }

  /** Whether a fresh connection may succeed. */
  get isRetryable(): boolean {
    return isRetryableFault(this.fault, this.facts);
  }
}

/** One file could not be read or written. The connection is well. */
export class FileError extends Error {
  readonly kind = "file";
  readonly fault: FileFault;
  /** Status of SFTP; null when the platform decided it. */
  readonly status: number | null;
  readonly path: string;

  constructor(fault: FileFault, path: string, status: number | null = null) {
    super(`${fault}: ${path}`);
    this.name = "FileError";
    this.fault = fault;
    this.status = status;
    this.path = path;
  }
}

/** A command ended with another code than 0. The connection is well. */
export class ExecError extends Error {
  readonly kind = "exec";
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last bytes of what it said; of the machine, so never shown as it is. */
  readonly stderr: string;

  constructor(exitCode: number | null, signal: string | null, stderr: string) {
    super(
      signal === null ? `The command ended with ${exitCode}.` : `SIG${signal} ended the command.`,
    );
    this.name = "ExecError";
    this.exitCode = exitCode;
    this.signal = signal;
    this.stderr = stderr;
  }
}

/** The machine opens no further channel, or nothing listens where one was to lead. */
export class ChannelLimitError extends Error {
  readonly kind = "channel";
  /** 1: forbidden, 2: refused, 3: unknown type, 4: shortage. Source: RFC 4254 §5.1. */
  readonly reason: number;

  constructor(reason: number) {
    super(`The machine refused a channel (reason ${reason}).`);
    this.name = "ChannelLimitError";
    this.reason = reason;
  }
}

/** An operation took too long; whether the connection lives is found out beside it. */
export class OpTimeoutError extends Error {
  readonly kind = "timeout";
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`The machine did not answer within ${timeoutMs} ms.`);
    this.name = "OpTimeoutError";
    this.timeoutMs = timeoutMs;
  }
}

/** What kind of failure ended a use; by its type, never by its text. SPEC: TU9. */
export function failureOf(error: unknown): UseFailure {
  if (
    error instanceof TunnelError ||
    error instanceof FileError ||
    error instanceof ExecError ||
    error instanceof ChannelLimitError ||
    error instanceof OpTimeoutError
  ) {
    return error.kind;
  }
  if (isDomainError(error)) return "expected";
  return error instanceof Error && error.name === "AbortError" ? "expected" : "unknown";
}

const FILE_CODES = {
  "not-found": ["not_found", "There is no such file."],
  permission: ["forbidden", "The agent's user may not do this."],
  "no-space": ["unprocessable", "The machine's disk is full."],
  "not-a-file": ["bad_request", "This is not a regular file."],
  failure: ["unprocessable", "The machine could not do this with the file."],
  unsupported: ["not_available_here", "The machine's SSH server cannot do this."],
  "bad-message": ["upstream_failed", "The machine did not understand the request."],
} as const;

/** The same failure as everybody outside the tunnels knows it. */
export function toDomainError(error: unknown): unknown {
  if (error instanceof FileError) {
    const [code, sentence] = FILE_CODES[error.fault];
    return new DomainError(code, sentence, { cause: error });
  }
  if (error instanceof OpTimeoutError) {
    return new DomainError("upstream_timeout", "The machine did not answer in time.", {
      next: "Try again.",
      cause: error,
    });
  }
  if (error instanceof TunnelError) {
    return new DomainError("workspace_unreachable", error.message, {
      next: error.isRetryable ? "Try again." : "Diagnose the connection of this workspace.",
      details: { fault: error.fault },
      cause: error,
    });
  }
  if (error instanceof ChannelLimitError || error instanceof ExecError) {
    return new DomainError("upstream_failed", "The machine could not do this.", {
      next: "Try again.",
      cause: error,
    });
  }
  return error;
}
