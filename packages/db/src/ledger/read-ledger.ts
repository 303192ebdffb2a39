import type { AttemptOpened, RestartRequestView } from "@molecule/contracts/ledger";
import { stagePhases } from "@molecule/domain/restart-ledger";
import { and, desc, eq, lt, ne } from "drizzle-orm";
import { ormOf, type Queryable } from "../database.ts";
import { attemptColumns, viewAttempt } from "../nodes/view-attempt.ts";
import { restartRequests } from "../schema/ledger.ts";
import { attempts } from "../schema/workspaces.ts";

/** Which rows of a workspace. */
export interface RequestsPage {
  /** Only of this attempt. */
  readonly attemptNo?: number | undefined;
  /** Only rows with a smaller id. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What asked for a restart and was no attempt of its own, newest first. */
export async function listRequests(
  q: Queryable,
  workspaceId: string,
  page: RequestsPage,
): Promise<RestartRequestView[]> {
  const T = restartRequests;
  const rows = await ormOf(q)
    .select()
    .from(T)
    .where(
      and(
        eq(T.workspaceId, workspaceId),
        ne(T.outcome, "began"),
        page.attemptNo === undefined ? undefined : eq(T.attemptNo, page.attemptNo),
        page.before === undefined ? undefined : lt(T.id, page.before),
      ),
    )
    .orderBy(desc(T.id))
    .limit(page.limit);
  return rows.map(viewRequest);
}

function viewRequest(row: typeof restartRequests.$inferSelect): RestartRequestView {
  return {
    id: row.id,
    source: row.source,
    outcome: row.outcome,
    attemptNo: row.attemptNo,
    actor: {
      kind: row.actorKind,
      name: row.actorName,
      ...(row.actorId === null ? {} : { id: row.actorId }),
    },
    sentence: row.sentence,
    count: row.count,
    firstAt: row.firstAt.toISOString(),
    lastAt: row.lastAt.toISOString(),
  };
}

/** Requests shown with an attempt. */
const REQUESTS_SHOWN = 20;

/** Everything the ledger knows of one attempt; null when there is no such one. */
export async function openAttempt(
  q: Queryable,
  workspaceId: string,
  no: number,
): Promise<AttemptOpened | null> {
  const [row] = await ormOf(q)
    .select({
      ...attemptColumns,
      providerRef: attempts.providerRef,
      snapGen: attempts.snapGen,
      logExcerpt: attempts.logExcerpt,
    })
    .from(attempts)
    .where(and(eq(attempts.workspaceId, workspaceId), eq(attempts.no, no)));
  if (row === undefined) return null;
  const view = viewAttempt(row);
  const openedUntil = view.readyAt ?? view.endedAt;
  return {
    ...view,
    phases: [...stagePhases(view.stages, openedUntil)],
    totalMs: openedUntil === null ? null : Date.parse(openedUntil) - Date.parse(view.createdAt),
    providerRef: row.providerRef,
    generation: row.snapGen,
    logExcerpt: row.logExcerpt,
    requests: await listRequests(q, workspaceId, { attemptNo: no, limit: REQUESTS_SHOWN }),
  };
}
