import { reportBootstrap } from "@molecule/db/lifecycle/report-bootstrap";
import { loadWorkspaceEnv } from "@molecule/db/secrets/workspace-env";
import { withoutSecrets } from "@molecule/domain/without-secrets";
import type { Deps } from "../../deps.ts";

/** Longest excerpt, in characters; the end of a longer one is kept. Source: wire contract §17. */
const MAX_TAIL_CHARS = 8_192;

/** A report as it came. */
export interface MachineReport {
  readonly workspaceId: string;
  readonly attemptNo: number | null;
  readonly error: string;
  readonly logTail: string;
}

/**
 * Ends the start that the report is about; false when none is under way or it was ended by a report
 * before. The machine's own words are in the excerpt of the attempt, without secrets, and nowhere else.
 * @throws DomainError `not_found`, `removed`.
 */
export async function noteFailedBootstrap(deps: Deps, report: MachineReport): Promise<boolean> {
  const { workspaceId, attemptNo } = report;
  return await deps.db.transaction(async (tx) => {
    const { env } = await loadWorkspaceEnv(tx, deps.cipher, workspaceId);
    const words = [report.error, report.logTail].filter((text) => text !== "").join("\n");
    const logTail = withoutSecrets(words, Object.values(env)).slice(-MAX_TAIL_CHARS);
    return await reportBootstrap(tx, { workspaceId, attemptNo, logTail });
  });
}
