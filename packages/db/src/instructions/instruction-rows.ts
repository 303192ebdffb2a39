import { DomainError } from "@molecule/domain/errors";
import { MAX_INSTRUCTIONS } from "@molecule/domain/instructions";
import { and, asc, desc, eq, isNull, or, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { instructions } from "../schema/memory.ts";
import { storableText } from "../storable.ts";

/** One instruction as stored. */
export type InstructionRow = typeof instructions.$inferSelect;

/** What the operator decides about an instruction. */
export interface InstructionWishes {
  readonly title: string;
  readonly content: string;
  readonly priority: number;
  readonly enabled: boolean;
}

/** Serialises whoever adds one for everybody, so that their number is what was counted. */
const GLOBAL_LOCK = 706_063;

/** In the order in which they are told. Null: those for everybody; absent: all of the platform. */
export async function listInstructions(
  q: Queryable,
  of: { readonly workspaceId?: string | null },
): Promise<InstructionRow[]> {
  return await ormOf(q)
    .select()
    .from(instructions)
    .where(of.workspaceId === undefined ? undefined : isFor(of.workspaceId))
    .orderBy(...inOrder);
}

/** The enabled ones for everybody and, after them, those for this workspace. SPEC: IN1. */
export async function listInstructionsFor(
  q: Queryable,
  workspaceId: string,
): Promise<InstructionRow[]> {
  return await ormOf(q)
    .select()
    .from(instructions)
    .where(
      and(
        eq(instructions.enabled, true),
        or(isNull(instructions.workspaceId), eq(instructions.workspaceId, workspaceId)),
      ),
    )
    .orderBy(...inOrder);
}

const inOrder = [
  sql`${instructions.workspaceId} IS NOT NULL`,
  desc(instructions.priority),
  asc(instructions.createdAt),
  asc(instructions.id),
];

/**
 * Adds an instruction; its caller has locked the workspace it is for.
 * @throws DomainError `rate_limited` for one too many.
 */
export async function insertInstruction(
  tx: Transaction,
  of: InstructionWishes & { readonly workspaceId: string | null },
): Promise<InstructionRow> {
  const orm = ormOf(tx);
  if (of.workspaceId === null) {
    await orm.execute(sql`SELECT pg_advisory_xact_lock(${GLOBAL_LOCK})`);
  }
  if ((await orm.$count(instructions, isFor(of.workspaceId))) >= MAX_INSTRUCTIONS) {
    const whose = of.workspaceId === null ? "everybody" : "one workspace";
    throw new DomainError(
      "rate_limited",
      `There are ${MAX_INSTRUCTIONS} instructions for ${whose} at most.`,
      { next: "Delete one that is no longer needed." },
    );
  }
  const [row] = await orm
    .insert(instructions)
    .values({ ...storable(of), workspaceId: of.workspaceId, content: storableText(of.content) })
    .returning();
  if (row === undefined) throw new Error("invariant: an insert returns its row");
  return row;
}

/** Null when there is none. */
export async function updateInstruction(
  q: Queryable,
  id: string,
  changes: Partial<InstructionWishes>,
): Promise<InstructionRow | null> {
  const [row] = await ormOf(q)
    .update(instructions)
    .set({ ...storable(changes), updatedAt: sql`cp_now()` })
    .where(eq(instructions.id, id))
    .returning();
  return row ?? null;
}

/** False when there was none. */
export async function deleteInstruction(q: Queryable, id: string): Promise<boolean> {
  const gone = await ormOf(q)
    .delete(instructions)
    .where(eq(instructions.id, id))
    .returning({ id: instructions.id });
  return gone.length > 0;
}

function isFor(workspaceId: string | null) {
  return workspaceId === null
    ? isNull(instructions.workspaceId)
    : eq(instructions.workspaceId, workspaceId);
}

function storable(wishes: Partial<InstructionWishes>) {
  const { title, content, priority, enabled } = wishes;
  return {
    ...(title === undefined ? {} : { title: storableText(title) }),
    ...(content === undefined ? {} : { content: storableText(content) }),
    ...(priority === undefined ? {} : { priority }),
    ...(enabled === undefined ? {} : { enabled }),
  };
}
