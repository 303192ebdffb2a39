import type { PublicFailure } from "@molecule/domain/errors";
import { BackendError } from "../provisioning/compute-backend.ts";

/** What a person reads of something that was thrown; internal text stays in the log. */
export function publicFailureOf(error: unknown): PublicFailure {
  if (error instanceof BackendError) return error.failure;
  return {
    code: "internal",
    sentence: "Something in the platform failed while this agent was being started.",
    next: "The platform tries again by itself; its log says more.",
  };
}

/** The agent did not beat in time. */
export function bootTimeoutFailure(seconds: number): PublicFailure {
  return {
    code: "boot_timeout",
    sentence: `The agent started but did not report within ${Math.round(seconds)} s.`,
    next: "Look at its last lines below, then retry.",
  };
}

/** The agent ended before it ever beat. */
export function exitedEarlyFailure(exit: string | null): PublicFailure {
  return {
    code: "exited_early",
    sentence: `The agent ended before it reported${exit === null ? "" : ` (${exit})`}.`,
    next: "Look at its last lines below, then change its configuration or retry.",
  };
}

/** The agent ran and is gone. */
export function crashFailure(exit: string | null, isUnhealthy: boolean): PublicFailure {
  if (isUnhealthy) {
    return {
      code: "exited_early",
      sentence: "The agent no longer answers.",
      next: "It is started again by itself.",
    };
  }
  return {
    code: "exited_early",
    sentence: `The agent stopped by itself${exit === null ? "" : ` (${exit})`}.`,
    next: "It is started again by itself.",
  };
}
