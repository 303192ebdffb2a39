import { DomainError } from "@molecule/domain/errors";

/** Refuses a call whose part of the platform is not in this build. */
export function notYet(): never {
  throw new DomainError("not_available_here", "This part of the platform is not available here.");
}
