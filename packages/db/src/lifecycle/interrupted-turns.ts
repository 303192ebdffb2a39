import { type InterruptedTurn, turnTitle } from "@molecule/domain/restart-context";
import { and, asc, eq, isNotNull, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { a2aQueue, activity } from "../schema/content.ts";
import { liveness } from "../schema/workspaces.ts";
import type { WorkspaceRow } from "./held-workspace.ts";

/** Turns named at most; a person reads three of them. */
const MAX_TURNS = 20;
/** The platform's own notes are no work of the agent. */
const isWork = sql`COALESCE(${a2aQueue.idempotencyKey}, '') NOT LIKE 'restart-context:%'`;

/**
 * What the agent of the current attempt is working on, as far as the platform knows: messages that it
 * was sent and has not answered, else what its last beat said. Empty when it is idle.
 */
export async function turnsUnderWay(
  tx: Transaction,
  row: Pick<WorkspaceRow, "id" | "currentAttempt">,
): Promise<InterruptedTurn[]> {
  const orm = ormOf(tx);
  const sent = await orm
    .select({ text: messageText, from: activity.actorName })
    .from(a2aQueue)
    .innerJoin(activity, eq(activity.id, a2aQueue.id))
    .where(
      and(
        eq(a2aQueue.workspaceId, row.id),
        eq(a2aQueue.status, "dispatched"),
        isNotNull(a2aQueue.dispatchedAt),
        isWork,
      ),
    )
    .orderBy(asc(a2aQueue.dispatchedAt))
    .limit(MAX_TURNS);
  if (sent.length > 0) {
    return sent.map(({ text, from }) => ({
      title: turnTitle(text ?? "") || "a message without text",
      from: from ?? "",
    }));
  }
  const [beat] = await orm
    .select({ activeTasks: liveness.activeTasks, currentTask: liveness.currentTask })
    .from(liveness)
    .where(and(eq(liveness.workspaceId, row.id), eq(liveness.attemptNo, row.currentAttempt)));
  if (beat === undefined || beat.activeTasks === 0) return [];
  const own = { title: turnTitle(beat.currentTask) || "a turn of its own", from: "" };
  const others = Array.from({ length: Math.min(beat.activeTasks, MAX_TURNS) - 1 }, () => ({
    title: "a turn of its own",
    from: "",
  }));
  return [own, ...others];
}

/** The first part of the message that has text. */
const messageText = sql<string | null>`(
  SELECT p->>'text' FROM jsonb_array_elements(
    CASE WHEN jsonb_typeof(${activity.requestBody} #> '{params,message,parts}') = 'array'
      THEN ${activity.requestBody} #> '{params,message,parts}' ELSE '[]'::jsonb END) p
  WHERE p->>'text' IS NOT NULL LIMIT 1)`;
