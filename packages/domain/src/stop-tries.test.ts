import { expect, it } from "vitest";
import { INTENTS, PHASES } from "./sets.ts";
import { stopOfTries } from "./stop-tries.ts";

it("L2: only what waits for its next try can be stopped", () => {
  const stopped = PHASES.flatMap((phase) =>
    INTENTS.filter(
      (intent) => stopOfTries({ intent, phase, isClicked: false }).kind === "stop",
    ).map((intent) => [intent, phase]),
  );
  expect(stopped).toEqual([["run", "BACKOFF"]]);
});

it("L2: a click that nobody has answered yet is not stopped", () => {
  for (const phase of PHASES) {
    expect(stopOfTries({ intent: "run", phase, isClicked: true }).kind).toBe("nothing");
  }
});

it("L2: asked for twice, it is stopped", () => {
  expect(stopOfTries({ intent: "run", phase: "FAILED", isClicked: false }).kind).toBe("stopped");
});
