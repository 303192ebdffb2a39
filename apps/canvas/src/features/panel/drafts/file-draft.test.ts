import { expect, test } from "vitest";
import {
  editFile,
  type FileDraft,
  type FileDrafts,
  fileKey,
  keepMyFile,
  MAX_PERSISTED_DRAFT_CHARS,
  markConflict,
  persistableFiles,
  settleSavedFile,
  stagedFiles,
} from "./file-draft.ts";

const base = { content: "old", sha256: "h1" };
const draft = (over: Partial<FileDraft> = {}): FileDraft => ({
  root: "/configs",
  path: "a.md",
  base,
  content: "mine",
  theirs: null,
  ...over,
});
const key = fileKey("/configs", "a.md");
const one: FileDrafts = editFile({}, draft());

test("typing the old text back leaves no draft", () => {
  expect(editFile(one, draft({ content: "old" }))).toEqual({});
});

test("a save keeps what was typed while it was under way", () => {
  expect(settleSavedFile(one, key, { content: "mine", sha256: "h2" })).toEqual({});
  const typed = editFile(one, draft({ content: "mine and more" }));
  const after = settleSavedFile(typed, key, { content: "mine", sha256: "h2" });
  expect(after[key]).toMatchObject({ content: "mine and more", base: { sha256: "h2" } });
});

test("a conflict holds both texts and keeping mine rebases on theirs", () => {
  const theirs = { content: "theirs", sha256: "h3" };
  const conflict = markConflict(one, key, theirs);
  expect(conflict[key]).toMatchObject({ content: "mine", theirs });
  expect(keepMyFile(conflict, key)[key]).toMatchObject({ base: theirs, theirs: null });
  expect(markConflict(one, key, { content: "mine", sha256: "h3" })).toEqual({});
});

test("typing during a conflict does not forget the other text", () => {
  const conflict = markConflict(one, key, { content: "theirs", sha256: "h3" });
  expect(editFile(conflict, draft({ content: "mine 2" }))[key]?.theirs?.content).toBe("theirs");
});

test("only managed files are part of the one save", () => {
  const both = editFile(one, draft({ root: "/workspace", path: "b.txt" }));
  expect(stagedFiles(both).map((file) => file.path)).toEqual(["a.md"]);
});

test("a very large draft is not written to local storage", () => {
  const big = editFile({}, draft({ content: "x".repeat(MAX_PERSISTED_DRAFT_CHARS + 1) }));
  expect(persistableFiles(big)).toEqual({});
  expect(persistableFiles(one)).toEqual(one);
});
