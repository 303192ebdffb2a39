import { writeFile } from "node:fs/promises";
import os from "node:os";

/** One figure beside its baseline; both were measured interleaved in the same run. */
export interface Row {
  readonly row: string;
  /** Samples of ours and of the baseline, in `unit`. */
  readonly ours: readonly number[];
  readonly baseline: readonly number[];
  readonly baselineName: string;
  readonly unit: "ms" | "MB";
  /** Ours must not be above it; absent where the row is for information. */
  readonly bar?: number;
}

/** The middle sample; NaN of an empty list. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** True when the row has no bar or its median is not above it. */
export function isMet(row: Row): boolean {
  return row.bar === undefined || median(row.ours) <= row.bar;
}

/** Prints the table with the machine it was measured on. */
export function printTable(rows: readonly Row[]): void {
  console.log(`\n${machine()}\n`);
  console.log("| row | ours p50 (worst) | baseline p50 | ratio | bar | met |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const row of rows) {
    const ours = median(row.ours);
    const baseline = median(row.baseline);
    const figure = (value: number) =>
      `${value < 10 ? value.toFixed(1) : Math.round(value)} ${row.unit}`;
    console.log(
      `| ${row.row} (n=${row.ours.length}) | ${figure(ours)} (${figure(Math.max(...row.ours))}) | ${row.baselineName}: ${figure(baseline)} | ${(ours / baseline).toFixed(2)} | ${row.bar === undefined ? "—" : `≤ ${row.bar} ${row.unit}`} | ${isMet(row) ? "yes" : "NO"} |`,
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
