import {
  type AfterBootFailure,
  afterBootFailure,
  type BackoffSettings,
} from "@molecule/domain/backoff";
import type { Decision } from "@molecule/domain/decide";
import type { FailureCode, PublicFailure } from "@molecule/domain/errors";
import { type AttemptOutcome, PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { appendEvent } from "../events/append-event.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import type { HeldWorkspace } from "./held-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

/** How an open attempt failed. */
export interface AttemptFailure {
  readonly outcome: Extract<AttemptOutcome, "boot_timeout" | "boot_failed" | "create_failed">;
  readonly failure: PublicFailure;
  /** False when only a change by a person can heal it. */
  readonly isRetryable: boolean;
  /** Last lines the instance printed, without secrets; absent when it never ran. */
  readonly logExcerpt?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/** Failures that heal when the machine does, whatever the workspace is. */
const MACHINE_FAULTS: ReadonlySet<FailureCode> = new Set([
  "engine_unavailable",
  "backend_unavailable",
  "out_of_disk",
]);

/**
 * Closes the open attempt and leads to BACKOFF with a time to retry, or to FAILED. The attempt then
 * answers for the generation and the clicks of this moment, also when it never took its snapshot, so
 * that only what comes later counts as new.
 */
export async function failAttempt(
  tx: Transaction,
  held: HeldWorkspace,
  failed: AttemptFailure,
  settings: BackoffSettings,
): Promise<AfterBootFailure> {
  const orm = ormOf(tx);
  const { row, attempt } = held;
  const snapGen = attempt?.snapGen ?? row.desiredGen;
  const after = afterBootFailure(
    {
      bootFailures: row.bootFailures,
      isSameGeneration: row.bootFailures === 0 || (await previousGen(tx, held)) === snapGen,
      isRetryable: failed.isRetryable,
      isMachineFault: MACHINE_FAULTS.has(failed.failure.code),
    },
    held.now,
    settings,
  );
  await orm
    .update(attempts)
    .set({
      outcome: failed.outcome,
      endedAt: sql`cp_now()`,
      failure: failed.failure,
      logExcerpt: excerptOf(held, failed) ?? null,
      snapGen,
      snapForce: attempt?.snapForce ?? row.forceSeq,
    })
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, row.currentAttempt)));
  await orm
    .update(workspaces)
    .set({
      phase: after.phase,
      bootFailures: after.bootFailures,
      failure: failed.failure,
      deadlineAt: null,
      nextActionAt: after.retryAt ?? (row.desiredGen > snapGen ? sql`cp_now()` : null),
      firstDirtyAt: row.desiredGen > snapGen ? row.lastDirtyAt : null,
    })
    .where(eq(workspaces.id, row.id));
  await tellFailure(tx, held, failed, after);
  return after;
}

async function previousGen(tx: Transaction, { row }: HeldWorkspace): Promise<number | null> {
  const [previous] = await ormOf(tx)
    .select({ snapGen: attempts.snapGen })
    .from(attempts)
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, row.currentAttempt - 1)));
  return previous?.snapGen ?? null;
}

/** What the machine itself reported of this start says more than what its agent printed. */
function excerptOf({ attempt }: HeldWorkspace, failed: AttemptFailure): string | undefined {
  return attempt?.logExcerpt ?? failed.logExcerpt;
}

async function tellFailure(
  tx: Transaction,
  held: HeldWorkspace,
  failed: AttemptFailure,
  after: AfterBootFailure,
): Promise<void> {
  const { row } = held;
  const excerpt = excerptOf(held, failed);
  const next = after.retryAt === null ? "no further try by itself" : "another try follows";
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: PLATFORM_ACTOR,
    sentence: `Attempt ${row.currentAttempt} failed: ${failed.failure.sentence} (${next})`,
    status: "error",
  });
  await appendEvent(tx, {
    event: "WORKSPACE_PROVISION_FAILED",
    subjectId: row.id,
    payload: {
      error: failed.failure.sentence,
      code: failed.failure.code,
      runtime: row.runtime,
      attempt: row.currentAttempt,
      will_retry: after.retryAt !== null,
      ...(failed.failure.missing === undefined ? {} : { missing: [...failed.failure.missing] }),
      ...(failed.timeoutSeconds === undefined
        ? {}
        : { timeout_secs: failed.timeoutSeconds, source: "provision_timeout_sweep" }),
      ...(excerpt === undefined ? {} : { log_tail: excerpt }),
    },
  });
}

/** What a person reads of an agent that ran and then stopped. */
export interface CrashReport {
  readonly failure: PublicFailure;
  readonly logExcerpt?: string | undefined;
}

/** Records that the running agent is gone; it is tried again at the decision's time. */
export async function recordCrash(
  tx: Transaction,
  held: HeldWorkspace,
  decision: Extract<Decision, { kind: "backoff" }>,
  report: CrashReport,
): Promise<void> {
  const orm = ormOf(tx);
  const { row } = held;
  await orm
    .update(attempts)
    .set({ endedAt: sql`cp_now()`, logExcerpt: report.logExcerpt ?? null })
    .where(and(eq(attempts.workspaceId, row.id), eq(attempts.no, row.currentAttempt)));
  await orm
    .update(workspaces)
    .set({
      phase: "BACKOFF",
      crashCount: decision.crashCount,
      failure: report.failure,
      nextActionAt: decision.retryAt,
    })
    .where(eq(workspaces.id, row.id));
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: PLATFORM_ACTOR,
    sentence: report.failure.sentence,
    status: "error",
  });
  await appendEvent(tx, {
    event: "WORKSPACE_OFFLINE",
    subjectId: row.id,
    payload: { attempt: row.currentAttempt, error: report.failure.sentence },
  });
}
