import { MAX_ANCESTORS, type Placed } from "./access.ts";
import type { MemoryScope } from "./sets.ts";

/** Longest memory, in characters. Source: wire contract §3.4. */
export const MAX_MEMORY_CHARS = 100_000;
/** Most memories of one workspace, and what their texts may take together, in bytes. */
export const MAX_MEMORIES = 5_000;
export const MAX_MEMORY_BYTES = 20 * 1024 * 1024;
/** Most keys of one workspace, and the largest value of one as JSON text, in characters. */
export const MAX_MEMORY_KEYS = 1_000;
export const MAX_KEY_VALUE_CHARS = 65_536;
/** Checkpoints of one workspace that are kept; each is as large as a value at most. */
export const MAX_CHECKPOINTS = 100;
/** Namespace of a memory that names none. */
export const DEFAULT_NAMESPACE = "general";

/** Only who stands below nobody speaks to a whole tree. SPEC: ME4. Source: wire contract §20. */
export function mayWriteMemory(author: Pick<Placed, "parentId">, scope: MemoryScope): boolean {
  return scope !== "GLOBAL" || author.parentId === null;
}

/** Whose memories of each scope a workspace reads; its own are always among them. */
export type MemoryAuthors = Readonly<Record<MemoryScope, readonly string[]>>;

/**
 * Of LOCAL its own; of TEAM also those of its parent, its children and the other children of its parent;
 * of GLOBAL also those of everybody above it. Roots are no team: one platform may hold trees that have
 * nothing to do with one another. So a memory reaches nobody to whom its author may not speak (AC1 to
 * AC3). `family` holds at least its ancestors, its children and its parent's. SPEC: ME1 to ME3, ME5.
 */
export function memoryAuthors(reader: Placed, family: readonly Placed[]): MemoryAuthors {
  const { id, parentId } = reader;
  const team = family.filter(
    (one) =>
      one.id !== id &&
      (one.parentId === id || (parentId !== null && [one.id, one.parentId].includes(parentId))),
  );
  return {
    LOCAL: [id],
    TEAM: [id, ...team.map((one) => one.id)],
    GLOBAL: [id, ...ancestors(reader, family)],
  };
}

function ancestors(reader: Placed, family: readonly Placed[]): string[] {
  const parents = new Map(family.map((one) => [one.id, one.parentId]));
  const above: string[] = [];
  let next = reader.parentId;
  while (next !== null && parents.has(next) && above.length < MAX_ANCESTORS) {
    above.push(next);
    next = parents.get(next) ?? null;
  }
  return above;
}

/** Longer ones are cut: an index has no room for them. */
const MAX_WORD_CHARS = 64;
/** What one memory may take in an index, in characters; Postgres takes a megabyte at most. */
const MAX_INDEXED_CHARS = 200_000;
/** Words of a question that are looked for; more say nothing more. */
const MAX_ASKED_WORDS = 16;
/** Scripts that put nothing between their words: each character counts as one. */
const UNSPACED = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}";
const WORD = new RegExp(`[${UNSPACED}]|(?:(?![${UNSPACED}])[\\p{L}\\p{M}\\p{N}])+`, "gu");

/**
 * The words of a text, each once, in lower case and one Unicode form: runs of letters and digits. Any
 * other character parts them, so `report_2024.md` is found by `report`, `2024` and `md`. SPEC: ME6.
 */
export function wordsOf(text: string): string[] {
  const found = text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
  return [...new Set(found.map((word) => [...word].slice(0, MAX_WORD_CHARS).join("")))];
}

/** The words that a memory is found by: all of any ordinary text, the first ones of an endless one. */
export function indexedWords(text: string): string[] {
  let chars = 0;
  return wordsOf(text).filter((word) => {
    chars += word.length;
    return chars <= MAX_INDEXED_CHARS;
  });
}

/** The words that a question is looked up by; none when it has neither letters nor digits. */
export function askedWords(question: string): string[] {
  return wordsOf(question).slice(0, MAX_ASKED_WORDS);
}
