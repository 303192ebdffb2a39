import type { FailureCode } from "@molecule/domain/errors";
import { isDomainError } from "@molecule/domain/errors";
import { BackendError } from "../../provisioning/compute-backend.ts";
import { isCode } from "./accounts.ts";

/** A failure of this backend, as a person reads it. */
export function processFailure(
  code: FailureCode,
  sentence: string,
  options: { readonly next: string; readonly isRetryable: boolean; readonly cause?: unknown },
): BackendError {
  return new BackendError(
    { code, sentence, next: options.next },
    { isRetryable: options.isRetryable, cause: options.cause },
  );
}

/** Runs `work`; what it throws becomes a classified failure. `code` is used for what is not known. */
export async function classified<T>(
  code: FailureCode,
  sentence: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackendError || isDomainError(error) || isAbort(error)) throw error;
    throw classify(error, code, sentence);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function classify(error: unknown, code: FailureCode, sentence: string): BackendError {
  if (isCode(error, "ENOSPC") || isCode(error, "EDQUOT")) {
    return processFailure("out_of_disk", "The disk of this machine is full.", {
      next: "Free some space; the platform tries again by itself.",
      isRetryable: true,
      cause: error,
    });
  }
  if (isCode(error, "EAGAIN") || isCode(error, "EMFILE") || isCode(error, "ENFILE")) {
    return processFailure("create_failed", "This machine has no room for another process.", {
      next: "Pause some workspaces; the platform tries again by itself.",
      isRetryable: true,
      cause: error,
    });
  }
  if (isCode(error, "E2BIG")) {
    return processFailure("create_failed", "The secrets of this agent are too large together.", {
      next: "Remove some under Configure, or shorten them; they all are its environment.",
      isRetryable: false,
      cause: error,
    });
  }
  return processFailure(code, sentence, {
    next: "The platform's log says more. Try again.",
    isRetryable: false,
    cause: error,
  });
}
