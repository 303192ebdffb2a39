import { expect, it } from "vitest";
import { activityWord, isActivityWord } from "./activity-words.ts";
import { ACTIVITY_STATUSES, ACTIVITY_TYPES } from "./sets.ts";

it("a delegation's row has the contract's words, every other row its own", () => {
  const words = (activityType: "delegation" | "a2a_receive") =>
    ACTIVITY_STATUSES.map((status) => activityWord({ activityType, status }));
  expect(words("delegation")).toEqual(["completed", "failed", "dispatched", "queued"]);
  expect(words("a2a_receive")).toEqual(ACTIVITY_STATUSES);
});

it("what is said of a row is a word of its kind", () => {
  for (const activityType of ACTIVITY_TYPES) {
    for (const status of ACTIVITY_STATUSES) {
      expect(isActivityWord(activityType, activityWord({ activityType, status }))).toBe(true);
    }
  }
  expect(isActivityWord("delegation", "ok")).toBe(false);
  expect(isActivityWord("a2a_receive", "completed")).toBe(false);
});
