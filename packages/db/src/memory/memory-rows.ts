import { createHash } from "node:crypto";
import { DomainError } from "@molecule/domain/errors";
import {
  askedWords,
  indexedWords,
  MAX_MEMORIES,
  MAX_MEMORY_BYTES,
  type MemoryAuthors,
} from "@molecule/domain/memory";
import { MEMORY_SCOPES, type MemoryScope } from "@molecule/domain/sets";
import { and, desc, eq, getTableColumns, inArray, or, type SQL, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { memories } from "../schema/memory.ts";
import { storableText } from "../storable.ts";

const { words: _words, contentSha256: _digest, ...shown } = getTableColumns(memories);

/** One memory as it is read. */
export type MemoryRow = Omit<typeof memories.$inferSelect, "words" | "contentSha256">;

/** A memory to be kept; its content has no secrets any more. */
export interface NewMemory {
  readonly workspaceId: string;
  readonly scope: MemoryScope;
  readonly namespace: string;
  readonly content: string;
}

/**
 * Keeps a memory of a workspace that its caller has locked. The same text in the same scope and namespace
 * is the memory that is there already: `isNew` is false then. SPEC: ME7.
 * @throws DomainError `rate_limited` when the workspace has no room for it.
 */
export async function insertMemory(
  tx: Transaction,
  memory: NewMemory,
): Promise<{ readonly row: MemoryRow; readonly isNew: boolean }> {
  const orm = ormOf(tx);
  const { workspaceId, scope } = memory;
  const namespace = storableText(memory.namespace);
  const content = storableText(memory.content);
  const contentSha256 = createHash("sha256").update(content).digest();
  const [known] = await orm
    .select(shown)
    .from(memories)
    .where(
      and(
        eq(memories.workspaceId, workspaceId),
        eq(memories.scope, scope),
        eq(memories.namespace, namespace),
        eq(memories.contentSha256, contentSha256),
      ),
    );
  if (known !== undefined) return { row: known, isNew: false };
  await refuseOverflow(tx, workspaceId, Buffer.byteLength(content));
  // No word has a space, and the domain has cut them to what a tsvector takes.
  const words = sql`array_to_tsvector(string_to_array(${indexedWords(content).join(" ")}, ' '))`;
  const [row] = await orm
    .insert(memories)
    .values({ workspaceId, scope, namespace, content, contentSha256, words })
    .returning(shown);
  if (row === undefined) throw new Error("invariant: an insert returns its row");
  return { row, isNew: true };
}

async function refuseOverflow(tx: Transaction, workspaceId: string, bytes: number): Promise<void> {
  const [held] = await ormOf(tx)
    .select({
      count: sql<number>`count(*)::int`,
      bytes: sql<number>`COALESCE(sum(octet_length(${memories.content})), 0)::int`,
    })
    .from(memories)
    .where(eq(memories.workspaceId, workspaceId));
  if (held === undefined) throw new Error("invariant: an aggregate answers one row");
  if (held.count < MAX_MEMORIES && held.bytes + bytes <= MAX_MEMORY_BYTES) return;
  throw new DomainError(
    "rate_limited",
    `A workspace keeps ${MAX_MEMORIES} memories of ${MAX_MEMORY_BYTES / 1_048_576} MB together at most.`,
    { next: "Delete what is no longer needed." },
  );
}

/** Which memories somebody asks for. */
export interface MemoryQuestion {
  readonly authors: MemoryAuthors;
  /** Absent: every scope. */
  readonly scope?: MemoryScope | undefined;
  readonly namespace?: string | undefined;
  /** Absent or empty: the newest. */
  readonly text?: string | undefined;
  readonly limit: number;
}

/** A memory and how much of the question it answers: the share of its words, null without a question. */
export interface FoundMemory {
  readonly row: MemoryRow;
  readonly score: number | null;
}

/** Of the memories with a word of the question so many, the newest, are ranked. */
const RANKED_MEMORIES = 2_000;
/** Shorter words are looked for as they are: too many begin with them. */
const MIN_PREFIX_CHARS = 3;

/**
 * The memories with at least one word of the question, or one that begins so; those with most of them
 * first, then the newest. Where more than 2,000 match, the newest of them are ranked. A question without
 * letters and digits finds nothing. SPEC: ME6.
 */
export async function searchMemories(q: Queryable, asked: MemoryQuestion): Promise<FoundMemory[]> {
  const { authors, scope, namespace, text = "", limit } = asked;
  const orm = ormOf(q);
  const words = askedWords(text);
  if (text.trim() !== "" && words.length === 0) return [];
  const scopes = scope === undefined ? MEMORY_SCOPES : [scope];
  const readable = and(
    or(...scopes.map((one) => and(eq(memories.scope, one), isBy(authors[one])))),
    namespace === undefined ? undefined : eq(memories.namespace, storableText(namespace)),
  );
  if (words.length === 0) {
    const rows = await orm
      .select(shown)
      .from(memories)
      .where(readable)
      .orderBy(desc(memories.seq))
      .limit(limit);
    return rows.map((row) => ({ row, score: null }));
  }
  const wanted = words.map(lexemeOf);
  const score = scoreOf(wanted);
  const ranked = orm
    .select({ seq: memories.seq })
    .from(memories)
    .where(and(readable, sql`${memories.words} @@ ${wanted.join(" | ")}::tsquery`))
    .orderBy(desc(memories.seq))
    .limit(RANKED_MEMORIES);
  return await orm
    .select({ row: shown, score })
    .from(memories)
    .where(inArray(memories.seq, ranked))
    .orderBy(desc(score), desc(memories.seq))
    .limit(limit);
}

/** One parameter, so that families of every size are one statement. */
function isBy(authors: readonly string[]): SQL {
  return sql`${memories.workspaceId} = ANY (string_to_array(${authors.join(",")}, ',')::uuid[])`;
}

/** A word has letters, marks and digits only, so that there is nothing to escape. */
function lexemeOf(word: string): string {
  return word.length < MIN_PREFIX_CHARS ? `'${word}'` : `'${word}':*`;
}

function scoreOf(wanted: readonly string[]): SQL<number> {
  return sql<number>`(
    SELECT count(*)::float8 / ${wanted.length}::float8
    FROM unnest(string_to_array(${wanted.join(" ")}, ' ')) AS asked(lexeme)
    WHERE ${memories.words} @@ asked.lexeme::tsquery)`;
}

/** False when its author has no such memory. */
export async function deleteMemory(
  q: Queryable,
  memory: { readonly workspaceId: string; readonly id: string },
): Promise<boolean> {
  const gone = await ormOf(q)
    .delete(memories)
    .where(and(eq(memories.workspaceId, memory.workspaceId), eq(memories.id, memory.id)))
    .returning({ id: memories.id });
  return gone.length > 0;
}
