import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../../../../..");
/** Where tests of the list may be. */
const FOLDERS = ["apps/worker/src", "apps/bench/src", "packages/api/src", "packages/db/src"];
const CASES = Array.from({ length: 55 }, (_, index) => index + 1);
/** A test's name begins with its number: "I7 a write …". */
const NAMED = /["'`](?:I\d+ )*I(\d+) /g;

async function numbersInTests(): Promise<ReadonlySet<number>> {
  const numbers = new Set<number>();
  for (const folder of FOLDERS) {
    const entries = await readdir(path.join(ROOT, folder), { recursive: true });
    for (const entry of entries.filter((name) => name.endsWith(".test.ts"))) {
      const text = await readFile(path.join(ROOT, folder, entry), "utf8");
      for (const [name] of text.matchAll(NAMED)) {
        for (const [, number] of name.matchAll(/I(\d+) /g)) numbers.add(Number(number));
      }
    }
  }
  return numbers;
}

/** What the README says below this heading: "- 7: the reason". */
function excused(): ReadonlyMap<number, string> {
  const text = readFileSync(path.join(import.meta.dirname, "README.md"), "utf8");
  const below = text.split("## Without a test")[1] ?? "";
  const rows = below.matchAll(/^- (\d+): (.+)$/gm);
  return new Map([...rows].map(([, number, reason]) => [Number(number), reason ?? ""]));
}

it("every case of the lifecycle's list has a test named by its number, or a reason", async () => {
  const named = await numbersInTests();
  const reasons = excused();
  expect(CASES.filter((number) => !named.has(number) && !reasons.has(number))).toEqual([]);
  // A reason that has become untrue.
  expect([...reasons.keys()].filter((number) => named.has(number))).toEqual([]);
  expect([...named].filter((number) => !CASES.includes(number))).toEqual([]);
});
