import { describe, expect, it } from "vitest";
import { canCommunicate, type Placed } from "./access.ts";
import { askedWords, indexedWords, mayWriteMemory, memoryAuthors, wordsOf } from "./memory.ts";

/** lead ─ (ann ─ (leaf), bob), other ─ (far) */
const ORGANISATION: readonly Placed[] = [
  { id: "lead", parentId: null },
  { id: "ann", parentId: "lead" },
  { id: "bob", parentId: "lead" },
  { id: "leaf", parentId: "ann" },
  { id: "other", parentId: null },
  { id: "far", parentId: "other" },
];
const placed = (id: string) => ORGANISATION.find((one) => one.id === id) as Placed;
const read = (id: string) => memoryAuthors(placed(id), ORGANISATION);

describe("who reads a memory", () => {
  it("ME1 LOCAL is read by its author alone", () => {
    for (const { id } of ORGANISATION) expect(read(id).LOCAL).toEqual([id]);
  });

  it("ME2 TEAM is read by parent, children and siblings, and roots are no team", () => {
    expect(read("ann").TEAM.toSorted()).toEqual(["ann", "bob", "lead", "leaf"]);
    expect(read("leaf").TEAM).toEqual(["leaf", "ann"]);
    expect(read("lead").TEAM.toSorted()).toEqual(["ann", "bob", "lead"]);
    expect(read("other").TEAM).toEqual(["other", "far"]);
  });

  it("ME3 GLOBAL is read by everybody below its author", () => {
    expect(read("leaf").GLOBAL).toEqual(["leaf", "ann", "lead"]);
    expect(read("lead").GLOBAL).toEqual(["lead"]);
    expect(read("far").GLOBAL).toEqual(["far", "other"]);
  });

  it("ME4 only a root writes GLOBAL", () => {
    expect(mayWriteMemory(placed("lead"), "GLOBAL")).toBe(true);
    expect(mayWriteMemory(placed("ann"), "GLOBAL")).toBe(false);
    expect(mayWriteMemory(placed("ann"), "TEAM")).toBe(true);
  });

  it("ME5 a memory reaches nobody to whom its author may not speak", () => {
    const parentOf = (id: string) => placed(id)?.parentId;
    for (const reader of ORGANISATION) {
      for (const author of Object.values(read(reader.id)).flat()) {
        expect(canCommunicate(placed(author), reader, parentOf), `${author} → ${reader.id}`).toBe(
          true,
        );
      }
    }
  });

  it("ME3 a ring and a parent that is gone end the walk", () => {
    const ring = [
      { id: "a", parentId: "b" },
      { id: "b", parentId: "a" },
    ];
    expect(memoryAuthors({ id: "a", parentId: "b" }, ring).GLOBAL.length).toBeLessThan(40);
    expect(memoryAuthors({ id: "a", parentId: "gone" }, []).GLOBAL).toEqual(["a"]);
  });
});

describe("words", () => {
  it.each([
    ["Ada likes TEA, tea!", ["ada", "likes", "tea"]],
    ["/etc/report_2024.md", ["etc", "report", "2024", "md"]],
    ["Straße Ωmega ﬁn", ["straße", "ωmega", "fin"]],
    ["猫が好き", ["猫", "が", "好", "き"]],
    ["v2の", ["v2", "の"]],
    ["%_'\\:*&|!() \u0000", []],
    ["\ud800x", ["x"]],
  ])("ME6 of %j", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it("ME6 are cut to 64 characters, a question to 16 words", () => {
    expect(wordsOf("a".repeat(5000))).toEqual(["a".repeat(64)]);
    const many = Array.from({ length: 40 }, (_, n) => `w${n}`).join(" ");
    expect(askedWords(many)).toHaveLength(16);
    const endless = Array.from({ length: 33_000 }, (_, n) => `\ufdfa${n.toString(36)}`).join(" ");
    expect(indexedWords(endless).join("").length).toBeLessThanOrEqual(200_000);
    expect(indexedWords("one two")).toEqual(["one", "two"]);
  });
});
