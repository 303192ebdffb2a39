import { BOOTSTRAP_FAILED } from "@molecule/domain/explain";
import { and, eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { hintWork } from "../events/append-event.ts";
import { attempts, observations, workspaces } from "../schema/workspaces.ts";
import { storableText } from "../storable.ts";
import { lockWorkspace } from "./lock-workspace.ts";

/** What a machine, or who watches it, says about a start that cannot succeed. */
export interface BootstrapReport {
  readonly workspaceId: string;
  /** The attempt it is about; null: the one that boots now. */
  readonly attemptNo: number | null;
  /** Its last words, without secrets; empty when there are none. */
  readonly logTail: string;
}

/**
 * Notes that the machine of the attempt that boots now failed, and makes its workspace due: the reconciler
 * ends the attempt as it ends one whose instance has exited (R11). False, and nothing noted, when no
 * attempt boots, another one does, or this one was told of already. A beat wins over a report.
 * @throws DomainError `not_found`, `removed`.
 */
export async function reportBootstrap(tx: Transaction, report: BootstrapReport): Promise<boolean> {
  const orm = ormOf(tx);
  const { workspaceId, logTail } = report;
  const { row } = await lockWorkspace(tx, workspaceId);
  const attemptNo = row.currentAttempt;
  if (row.phase !== "BOOTING" || row.intent !== "run") return false;
  if (report.attemptNo !== null && report.attemptNo !== attemptNo) return false;
  const ofAttempt = and(
    eq(observations.workspaceId, workspaceId),
    eq(observations.attemptNo, attemptNo),
    eq(observations.detail, BOOTSTRAP_FAILED),
  );
  if ((await orm.$count(observations, ofAttempt)) > 0) return false;
  const seen = { workspaceId, attemptNo, kind: "exited", detail: BOOTSTRAP_FAILED } as const;
  await orm.insert(observations).values(seen);
  if (logTail !== "") {
    await orm
      .update(attempts)
      .set({ logExcerpt: storableText(logTail) })
      .where(and(eq(attempts.workspaceId, workspaceId), eq(attempts.no, attemptNo)));
  }
  await orm
    .update(workspaces)
    .set({ nextActionAt: sql`cp_now()` })
    .where(eq(workspaces.id, workspaceId));
  await hintWork(tx, workspaceId);
  return true;
}
