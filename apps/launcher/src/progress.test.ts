import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createProgress } from "./progress.mjs";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function show(isTTY: boolean) {
  let text = "";
  const out = {
    isTTY,
    columns: 0,
    write: (piece: string) => {
      text += piece;
    },
  };
  return { progress: createProgress(out), text: () => text };
}

describe("progress", () => {
  test("says something at least every five seconds where there is no terminal", async () => {
    const { progress, text } = show(false);
    const step = progress.step(
      "Packages",
      async ({ note }) => {
        note("npm ci");
        await new Promise((resolve) => setTimeout(resolve, 9000));
        return "installed";
      },
      (words) => words,
    );
    await vi.advanceTimersByTimeAsync(5000);
    expect(text().split("\n")).toHaveLength(2);
    expect(text()).toMatch(/^ {2}Packages: npm ci, 4\.\d s\n$/);
    await vi.advanceTimersByTimeAsync(4000);
    await step;
    expect(text()).toMatch(/✓ Packages +installed, 9\.\d s\n$/);
  });

  test("keeps one moving line in a terminal of unknown width, below what is said meanwhile", async () => {
    const { progress, text } = show(true);
    const step = progress.step("Build", () => new Promise((resolve) => setTimeout(resolve, 1000)));
    await vi.advanceTimersByTimeAsync(600);
    progress.say("worker: hello");
    expect(text().split("\n")).toHaveLength(2);
    expect(text().split("\n").at(-1)).toContain("Build (0.6 s)");
    await vi.advanceTimersByTimeAsync(400);
    await step;
  });

  test("marks a failed step and passes its error on", async () => {
    const { progress, text } = show(false);
    await expect(
      progress.step("Schema", () => Promise.reject(new Error("no database"))),
    ).rejects.toThrow("no database");
    expect(text()).toContain("✗ Schema");
  });
});
