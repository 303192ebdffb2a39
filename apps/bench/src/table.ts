import { writeFile } from "node:fs/promises";
import os from "node:os";

/** One figure beside its baseline; both were measured interleaved in the same run. */
export interface Row {
  readonly row: string;
  /** Samples of ours and of the baseline, in `unit`. */
  readonly ours: readonly number[];
  readonly baseline: readonly number[];
  readonly baselineName: string;
  readonly unit: "ms" | "MB" | "%" | "count" | "per s";
  /** Absent where the row is for information. */
  readonly bar?: number;
  /** Which figure of ours is held against the bar. Default `p50`. */
  readonly barAt?: "p50" | "p95" | "p99";
  /** The bar is for ours minus the same figure of the baseline. */
  readonly isAdded?: true;
  /** Ours must not be below the bar; otherwise not above it. */
  readonly isFloor?: true;
}

/** The middle sample; NaN of an empty list. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Nearest rank; NaN of an empty list. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? Number.NaN;
}

const AT: Readonly<Record<NonNullable<Row["barAt"]>, (samples: readonly number[]) => number>> = {
  p50: median,
  p95: (samples) => quantile(samples, 0.95),
  p99: (samples) => quantile(samples, 0.99),
};

/** True when the row has no bar or its figure keeps it. */
export function isMet(row: Row): boolean {
  if (row.bar === undefined) return true;
  const at = AT[row.barAt ?? "p50"];
  const figure = at(row.ours) - (row.isAdded === true ? at(row.baseline) : 0);
  return row.isFloor === true ? figure >= row.bar : figure <= row.bar;
}

function barText(row: Row): string {
  if (row.bar === undefined) return "—";
  const at = row.barAt === undefined || row.barAt === "p50" ? "" : `${row.barAt} `;
  return `${at}${row.isAdded === true ? "added " : ""}${row.isFloor === true ? "≥" : "≤"} ${row.bar} ${row.unit}`;
}

/** Prints the table with the machine it was measured on. */
export function printTable(rows: readonly Row[]): void {
  console.log(`\n${machine()}\n`);
  console.log("| row | ours p50 / p95 / p99 (worst) | baseline p50 / p99 | ratio | bar | met |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const row of rows) {
    const ours = median(row.ours);
    const baseline = median(row.baseline);
    const figure = (value: number) =>
      `${value < 10 ? value.toFixed(1) : Math.round(value)} ${row.unit}`;
    const both = (all: readonly number[]) =>
      `${figure(median(all))} / ${figure(quantile(all, 0.99))}`;
    const three = `${figure(median(row.ours))} / ${figure(quantile(row.ours, 0.95))} / ${figure(quantile(row.ours, 0.99))}`;
    const worst = Math.max(...row.ours);
    console.log(
      `| ${row.row} (n=${row.ours.length}) | ${three} (${figure(worst)}) | ${row.baselineName}: ${both(row.baseline)} | ${(ours / baseline).toFixed(2)} | ${barText(row)} | ${isMet(row) ? "yes" : "NO"} |`,
    );
  }
}

/** Writes the same rows as JSON. */
export async function writeJson(file: string, rows: readonly Row[]): Promise<void> {
  const out = rows.map((row) => ({ ...row, median: median(row.ours), met: isMet(row) }));
  await writeFile(file, `${JSON.stringify({ machine: machine(), rows: out }, null, 2)}\n`);
}

function machine(): string {
  const cpus = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return `${cpus.length} × ${cpus[0]?.model.trim() ?? "unknown CPU"}, ${memory} GiB, ${os.platform()} ${os.release()}, Node ${process.version}`;
}
