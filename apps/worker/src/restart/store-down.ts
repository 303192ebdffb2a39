import { isConnectionError } from "@molecule/db/database";
import { BackendError } from "../provisioning/compute-backend.ts";

/**
 * True when the database could not be reached. A backend that cannot be reached fails with the same
 * codes of the operating system, and is no reason to leave a workspace without a word.
 */
export function isStoreDown(error: unknown): boolean {
  return !(error instanceof BackendError) && isConnectionError(error);
}
