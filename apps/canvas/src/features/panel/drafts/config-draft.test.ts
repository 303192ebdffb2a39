import { expect, test } from "vitest";
import {
  type ConfigFields,
  configChanges,
  EMPTY_CONFIG_DRAFT,
  editField,
  keepMine,
  revertField,
  shownValue,
} from "./config-draft.ts";

const saved: ConfigFields = {
  model: "opus",
  provider: null,
  instructions: "Be brief.",
  description: "",
  tier: 2,
  applyPolicy: "settle",
  sleepAfterMinutes: null,
};
const edited = editField(EMPTY_CONFIG_DRAFT, saved, { field: "model", value: "sonnet" });

test("nothing is dirty before an edit", () => {
  expect(configChanges(EMPTY_CONFIG_DRAFT, saved)).toEqual([]);
});

test("an edit shows at once and is one change with both values", () => {
  expect(shownValue(edited, saved, "model")).toBe("sonnet");
  expect(configChanges(edited, saved)).toEqual([
    { field: "model", label: "Model", current: "opus", mine: "sonnet", isConflict: false },
  ]);
});

test("an edit back to the saved value leaves a clean draft", () => {
  expect(editField(edited, saved, { field: "model", value: "opus" })).toEqual(EMPTY_CONFIG_DRAFT);
  expect(revertField(edited, "model")).toEqual(EMPTY_CONFIG_DRAFT);
});

test("a change elsewhere to a field I did not touch is taken over silently", () => {
  const theirs = { ...saved, tier: 3 };
  expect(shownValue(edited, theirs, "tier")).toBe(3);
  expect(configChanges(edited, theirs).map((change) => change.isConflict)).toEqual([false]);
});

test("a change elsewhere to my field is a conflict until I keep mine or take theirs", () => {
  const theirs = { ...saved, model: "haiku" };
  expect(configChanges(edited, theirs)).toMatchObject([{ current: "haiku", isConflict: true }]);
  expect(configChanges(keepMine(edited, theirs, "model"), theirs)).toMatchObject([
    { mine: "sonnet", isConflict: false },
  ]);
  expect(configChanges(revertField(edited, "model"), theirs)).toEqual([]);
});

test("somebody else saving the very value I typed ends the change", () => {
  expect(configChanges(edited, { ...saved, model: "sonnet" })).toEqual([]);
});
