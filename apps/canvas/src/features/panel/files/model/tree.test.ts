import { expect, test } from "vitest";
import { folderOf, type Listing, nameOf, sizeText, type TreeRow, treeRows } from "./tree.ts";

const ready = (...paths: string[]): Listing => ({
  kind: "ready",
  truncated: false,
  entries: paths.map((path) =>
    path.endsWith("/")
      ? { path: path.slice(0, -1), size: 0, dir: true }
      : { path, size: 10, dir: false },
  ),
});
const shown = (rows: readonly TreeRow[]) =>
  rows.map(
    (row) => `${"  ".repeat(row.depth)}${row.kind === "entry" ? row.name : `(${row.kind})`}`,
  );

test("folders come first and numbers sort as numbers", () => {
  const rows = treeRows({
    listings: { "": ready("b10.md", "b9.md", "zoo/") },
    open: new Set(),
    marks: {},
  });
  expect(shown(rows)).toEqual(["zoo", "b9.md", "b10.md"]);
});

test("an open folder is asked for on its own, and its paths are relative to the root", () => {
  const facts = { listings: { "": ready("src/") }, open: new Set(["src"]), marks: {} };
  expect(shown(treeRows(facts))).toEqual(["src", "  (loading)"]);
  const loaded = treeRows({ ...facts, listings: { "": ready("src/"), src: ready("a.ts") } });
  expect(loaded[1]).toMatchObject({ path: "src/a.ts", name: "a.ts", depth: 1 });
});

test("a folder that could not be listed says so and never looks empty", () => {
  const rows = treeRows({
    listings: { "": { kind: "failed", sentence: "The agent is restarting." } },
    open: new Set(),
    marks: {},
  });
  expect(rows).toEqual([
    { kind: "failed", path: "", depth: 0, sentence: "The agent is restarting." },
  ]);
});

test("an empty folder says that it is empty", () => {
  expect(shown(treeRows({ listings: { "": ready() }, open: new Set(), marks: {} }))).toEqual([
    "(empty)",
  ]);
});

test("a new file of the draft is listed with the folder it would make", () => {
  const facts = {
    listings: { "": ready("a.md") },
    open: new Set(["skills"]),
    marks: { "skills/x.md": "new" as const, "a.md": "edited" as const },
  };
  const rows = treeRows(facts);
  expect(shown(rows).slice(0, 2)).toEqual(["skills", "  x.md"]);
  expect(rows.at(-1)).toMatchObject({ name: "a.md", mark: "edited" });
});

test("a listing that stopped at its limit says so", () => {
  const listing: Listing = { kind: "ready", truncated: true, entries: [] };
  const rows = treeRows({
    listings: { "": { ...listing, entries: [{ path: "a", size: 1, dir: false }] } },
    open: new Set(),
    marks: {},
  });
  expect(shown(rows)).toEqual(["a", "(truncated)"]);
});

test("names, folders and sizes read as a person writes them", () => {
  expect([nameOf("a/b.md"), folderOf("a/b.md"), folderOf("b.md")]).toEqual(["b.md", "a", ""]);
  expect([sizeText(12), sizeText(3400), sizeText(1_200_000)]).toEqual(["12 B", "3.4 KB", "1.2 MB"]);
});
