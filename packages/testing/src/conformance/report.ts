import type { ConformanceCase, Step } from "./case.ts";
import { describe } from "./shape.ts";

/** What came of a case. `open`: it fails, which is known, and `about` says why. */
export interface Outcome {
  readonly case: ConformanceCase;
  readonly result: "passed" | "failed" | "open";
  readonly about: string;
}

const MAX_CHARS = 180;

/** The table: failures first, then what is known to be open, then counts per section. */
export function reportOf(outcomes: readonly Outcome[], isWhole: boolean): string {
  const failed = outcomes.filter(({ result }) => result === "failed");
  const open = outcomes.filter(({ result }) => result === "open");
  const passed = outcomes.filter(({ result }) => result === "passed");
  return [
    ...failed.flatMap(detailsOf),
    ...open.map(({ case: one, about }) => line("open", one, about)),
    ...(isWhole ? passed.map(({ case: one }) => line("passed", one, "")) : []),
    "",
    ...countsOf(outcomes),
    "",
    `${outcomes.length} cases: ${passed.length} passed, ${failed.length} failed, ${open.length} open`,
  ].join("\n");
}

function detailsOf({ case: one, about }: Outcome): string[] {
  const asked = one.steps.flatMap((step) => [
    `  sends    ${sends(step)}`,
    `  expects  ${expects(step)}`,
  ]);
  const program = one.custom;
  const said =
    program === undefined
      ? asked
      : [`  sends    ${program.sends}`, `  expects  ${program.expects}`];
  return [line("FAILED", one, ""), ...said, `  problem  ${about}`, ""];
}

function line(word: string, { row, title }: ConformanceCase, about: string): string {
  return `${word.padEnd(7)} ${row.padEnd(10)} ${title}${about === "" ? "" : ` — ${about}`}`;
}

function sends({ call }: Step): string {
  const body = call.body === undefined ? "" : ` ${JSON.stringify(call.body)}`;
  const as = call.as === null ? "without a credential" : `as ${call.as}`;
  return cut(`${call.method} ${call.path} ${as}${body}`);
}

function expects({ status, body, headers }: Step): string {
  const shown = body === undefined ? "" : ` ${describe(body)}`;
  const named = Object.entries(headers ?? {}).map(([name, shape]) => `${name}: ${describe(shape)}`);
  return cut(
    `${status.join(" or ")}${shown}${named.length === 0 ? "" : ` with ${named.join(", ")}`}`,
  );
}

function countsOf(outcomes: readonly Outcome[]): string[] {
  const sections = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const section = outcome.case.row.split(":")[0] ?? "";
    sections.set(section, [...(sections.get(section) ?? []), outcome]);
  }
  return [...sections].map(([section, own]) => {
    const count = (result: Outcome["result"]) => own.filter((one) => one.result === result).length;
    return `${section.padEnd(7)} ${String(count("passed")).padStart(4)} passed ${String(count("failed")).padStart(4)} failed ${String(count("open")).padStart(4)} open`;
  });
}

function cut(text: string): string {
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text;
}
