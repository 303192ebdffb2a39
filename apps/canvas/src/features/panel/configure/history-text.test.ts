import { SECRET_RETURNS } from "@molecule/domain/config-diff";
import { expect, test } from "vitest";
import { countChanges, generationState, secretReturnText } from "./history-text.ts";

test("a generation says whether it runs, and the newest whether it does yet", () => {
  expect(generationState({ isRunning: true, isSaved: true })?.text).toBe("running");
  expect(generationState({ isRunning: true, isSaved: false })?.text).toBe("still running");
  expect(generationState({ isRunning: false, isSaved: true })?.text).toBe("not running yet");
  expect(generationState({ isRunning: false, isSaved: false })).toBeNull();
});

test("every outcome of a secret has its own sentence", () => {
  expect(new Set(SECRET_RETURNS.map(secretReturnText)).size).toBe(SECRET_RETURNS.length);
});

test("what differs is counted in words", () => {
  const of = (settings: number, files: number, secrets: number) =>
    countChanges({
      settings: Array.from({ length: settings }),
      files: Array.from({ length: files }),
      secrets: Array.from({ length: secrets }),
    });
  expect(of(0, 0, 0)).toBeNull();
  expect(of(1, 0, 0)).toBe("1 setting");
  expect(of(2, 1, 1)).toBe("2 settings, 1 file and 1 secret");
});
