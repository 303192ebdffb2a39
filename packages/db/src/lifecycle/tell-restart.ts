import { restartContext, restartContextId } from "@molecule/domain/restart-context";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { and, desc, eq, like, lte, ne, sql } from "drizzle-orm";
import { logActivity, tellActivity } from "../activity/activity-log.ts";
import { ormOf, type Transaction } from "../database.ts";
import { waiting } from "../queue/delivery-lease.ts";
import { a2aQueue, activity } from "../schema/content.ts";
import { attempts, workspaces } from "../schema/workspaces.ts";
import { changesBetween } from "./merged-changes.ts";

/** The attempt whose agent has just registered and beaten. */
interface ReadyAttempt {
  readonly workspaceId: string;
  readonly attemptNo: number;
}

/** Attempts looked back on for what the agent was last told. */
const MAX_ATTEMPTS_BACK = 50;
/** Before everything that waits: what follows is answered by an agent that knows of its restart. */
const FIRST_IN_LINE = 100;
const NOTE_EXPIRY_HOURS = 24;

/**
 * Queues what the agent is told about its restart, once per attempt, in the transaction that makes the
 * attempt READY: the same commit decides both, whoever is killed afterwards. Notes of older attempts
 * that were not delivered are dropped and their content told with this one. SPEC: C1 to C7.
 */
export async function tellRestart(tx: Transaction, ref: ReadyAttempt): Promise<void> {
  await dropNotes(tx, { workspaceId: ref.workspaceId, except: ref.attemptNo });
  const rows = await ormOf(tx)
    .select({
      no: attempts.no,
      reason: attempts.reason,
      detail: attempts.detail,
      snapGen: attempts.snapGen,
      snapEnvKeys: attempts.snapEnvKeys,
      createdAt: attempts.createdAt,
      readyAt: attempts.readyAt,
      endedAt: attempts.endedAt,
      toldAt: attempts.restartContextAt,
      name: workspaces.name,
    })
    .from(attempts)
    .innerJoin(workspaces, eq(workspaces.id, attempts.workspaceId))
    .where(and(eq(attempts.workspaceId, ref.workspaceId), lte(attempts.no, ref.attemptNo)))
    .orderBy(desc(attempts.no))
    .limit(MAX_ATTEMPTS_BACK);
  const [own, ...before] = rows;
  if (own === undefined || own.no !== ref.attemptNo) return;
  const sessions = before.filter((one) => one.readyAt !== null);
  const [previous] = sessions;
  const told = sessions.find((one) => one.toldAt !== null) ?? previous;
  const since = rows.filter((one) => one.no > (told?.no ?? 0)).reverse();
  const { merged } = await changesBetween(tx, ref.workspaceId, {
    after: told?.snapGen ?? 0,
    upTo: own.snapGen ?? 0,
  });
  const text = restartContext({
    attempt: own.no,
    reason: own.reason,
    sentence: own.detail.sentence,
    restartedAt: own.createdAt,
    previousEndedAt: previous === undefined ? null : endOf(previous, rows),
    merged,
    untold: since
      .filter((one) => one.no < own.no && one.readyAt !== null)
      .map((one) => ({ attempt: one.no, sentence: one.detail.sentence })),
    interrupted: since.flatMap((one) => one.detail.interrupted ?? []),
    envKeys: own.snapEnvKeys ?? [],
  });
  if (text === null) await markTold(tx, ref);
  else await queueNote(tx, { ...ref, text, name: own.name });
}

/** An attempt that was replaced while it ran ended with the beginning of the next. */
function endOf(
  previous: { readonly no: number; readonly endedAt: Date | null; readonly createdAt: Date },
  rows: readonly { readonly no: number; readonly createdAt: Date }[],
): Date {
  const next = rows.find((one) => one.no === previous.no + 1);
  return previous.endedAt ?? next?.createdAt ?? previous.createdAt;
}

/** From here on the agent knows what its start changed. Nothing when it knew already. */
export async function markTold(tx: Transaction, ref: ReadyAttempt): Promise<void> {
  await ormOf(tx)
    .update(attempts)
    .set({ restartContextAt: sql`COALESCE(${attempts.restartContextAt}, cp_now())` })
    .where(and(eq(attempts.workspaceId, ref.workspaceId), eq(attempts.no, ref.attemptNo)));
}

async function queueNote(
  tx: Transaction,
  note: ReadyAttempt & { readonly text: string; readonly name: string },
): Promise<void> {
  const messageId = restartContextId(note.workspaceId, note.attemptNo);
  const body = envelopeOf(messageId, note);
  const row = await logActivity(tx, {
    workspaceId: note.workspaceId,
    // No line of the chat: it is the platform's, and no person asked for an answer.
    type: "lifecycle",
    status: "queued",
    targetId: note.workspaceId,
    method: "message/send",
    summary: `Telling ${note.name} what its restart changed (attempt ${note.attemptNo})`,
    requestBody: body,
    actorName: PLATFORM_ACTOR.name,
    messageId,
  });
  if (row === null) return;
  await ormOf(tx)
    .insert(a2aQueue)
    .values({
      id: row.id,
      workspaceId: note.workspaceId,
      callerId: null,
      priority: FIRST_IN_LINE,
      body,
      method: "message/send",
      idempotencyKey: messageId,
      expiresAt: sql`cp_now() + make_interval(hours => ${NOTE_EXPIRY_HOURS})`,
      ...waiting,
    });
}

/** Source: contract §4.3. */
function envelopeOf(messageId: string, note: ReadyAttempt & { readonly text: string }) {
  return {
    jsonrpc: "2.0",
    id: messageId,
    method: "message/send",
    params: {
      message: {
        kind: "message",
        role: "user",
        messageId,
        parts: [{ kind: "text", text: note.text }],
        metadata: {
          source: "platform",
          kind: "restart_context",
          layer: 1,
          restart_context: true,
          attempt: note.attemptNo,
        },
      },
    },
  };
}

/**
 * Takes back notes that wait, but for that of one attempt. What their agent was not told before it was
 * restarted again, or put to rest, is told to its successor. SPEC: C6.
 */
export async function dropNotes(
  tx: Transaction,
  which: { readonly workspaceId: string; readonly except: number | null },
): Promise<void> {
  const orm = ormOf(tx);
  const { workspaceId, except } = which;
  const dropped = await orm
    .update(a2aQueue)
    .set({ status: "dropped", completedAt: sql`cp_now()`, nextActionAt: null })
    .where(
      and(
        eq(a2aQueue.workspaceId, workspaceId),
        eq(a2aQueue.status, "queued"),
        like(a2aQueue.idempotencyKey, "restart-context:%"),
        except === null
          ? undefined
          : ne(a2aQueue.idempotencyKey, restartContextId(workspaceId, except)),
      ),
    )
    .returning({ id: a2aQueue.id });
  for (const { id } of dropped) {
    const [row] = await orm
      .update(activity)
      .set({
        status: "ok",
        summary: "What the restart changed is told with the next one: this agent ended before",
        updatedAt: sql`cp_now()`,
      })
      .where(eq(activity.id, id))
      .returning();
    if (row !== undefined) await tellActivity(tx, row);
  }
}
