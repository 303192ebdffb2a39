/** One line of a comparison. `gap` stands for `count` equal lines that are left out. */
export type DiffLine =
  | { readonly kind: "same" | "removed" | "added"; readonly text: string }
  | { readonly kind: "gap"; readonly count: number };

/** Equal lines shown around each difference. */
const CONTEXT = 2;
/** Largest table the comparison may build; beyond it the middle is shown as replaced as a whole. */
const MAX_CELLS = 4_000_000;

/** The lines that lead from one text to another, with the unchanged rest left out. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const isOnlyEnd = before.replace(/\n$/, "") === after.replace(/\n$/, "");
  const a = linesOf(before, isOnlyEnd);
  const b = linesOf(after, isOnlyEnd);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) {
    end++;
  }
  const middle = changedLines(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return withGaps([
    ...a.slice(0, start).map(same),
    ...middle,
    ...a.slice(a.length - end).map(same),
  ]);
}

/** A last newline ends a line and starts none, unless it is the whole difference. */
function linesOf(text: string, keepsEnd: boolean): string[] {
  if (text === "") return [];
  return (keepsEnd ? text : text.replace(/\n$/, "")).split("\n");
}

type Plain = Exclude<DiffLine, { kind: "gap" }>;
const same = (text: string): Plain => ({ kind: "same", text });
const removed = (text: string): Plain => ({ kind: "removed", text });
const added = (text: string): Plain => ({ kind: "added", text });

/** Longest common subsequence over lines. */
function changedLines(a: readonly string[], b: readonly string[]): Plain[] {
  if (a.length * b.length > MAX_CELLS) return [...a.map(removed), ...b.map(added)];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Plain[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (left !== undefined && left === right) {
      lines.push(same(left));
      i++;
      j++;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(removed(left));
      i++;
    } else if (right !== undefined) {
      lines.push(added(right));
      j++;
    }
  }
  return lines;
}

function withGaps(lines: readonly Plain[]): DiffLine[] {
  const isNear = lines.map(() => false);
  for (const [index, line] of lines.entries()) {
    if (line.kind === "same") continue;
    const last = Math.min(lines.length - 1, index + CONTEXT);
    for (let near = Math.max(0, index - CONTEXT); near <= last; near++) isNear[near] = true;
  }
  const out: DiffLine[] = [];
  let count = 0;
  for (const [index, line] of lines.entries()) {
    if (!isNear[index]) {
      count++;
      continue;
    }
    if (count > 0) out.push({ kind: "gap", count });
    count = 0;
    out.push(line);
  }
  return count > 0 ? [...out, { kind: "gap", count }] : out;
}
