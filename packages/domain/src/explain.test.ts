import { describe, expect, it } from "vitest";
import {
  type AttemptCause,
  type ChangeRow,
  ENDED_WITH_ENGINE,
  explainAttempt,
  mergeChanges,
} from "./explain.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 12, 1, seconds));
const row = (over: Partial<ChangeRow> = {}): ChangeRow => ({
  kind: "file",
  name: "a.md",
  actorName: "Ada",
  at: at(7),
  ...over,
});
const seventeen = Array.from({ length: 17 }, (_, i) =>
  row({ name: `f${i}.md`, at: at(7 + i * 3) }),
);
const cause = (over: Partial<AttemptCause>): AttemptCause => ({
  reason: "files",
  actor: { kind: "member", name: "Ada" },
  merged: [],
  exit: null,
  failure: null,
  ...over,
});

it("X1: groups by kind, counts names once, keeps ten", () => {
  const merged = mergeChanges([
    ...seventeen,
    row({ name: "f0.md", at: at(59) }),
    row({ kind: "setting", name: "model" }),
  ]);
  expect(merged.map((group) => [group.kind, group.count, group.names.length])).toEqual([
    ["setting", 1, 1],
    ["file", 17, 10],
  ]);
  expect(mergeChanges([])).toEqual([]);
});

it("X2: says who and from when to when, whatever the order of the rows", () => {
  const [group] = mergeChanges([
    row({ at: at(30), actorName: "Bo", name: "b.md" }),
    row({ at: at(7) }),
  ]);
  expect(group).toMatchObject({
    actors: ["Ada", "Bo"],
    from: "2026-01-01T12:01:07.000Z",
    to: "2026-01-01T12:01:30.000Z",
  });
});

describe("sentences", () => {
  it.each([
    [
      "I10: a newer image that the platform found",
      {
        reason: "image" as const,
        merged: mergeChanges([row({ kind: "image", actorName: "Molecule" })]),
      },
      "a newer runtime image",
    ],
    [
      "I10: a newer image that a person asked for, and what rides along",
      { reason: "image" as const, merged: mergeChanges([row({ kind: "image" }), row()]) },
      "a newer runtime image, asked for by Ada, with 1 file changed",
    ],
    [
      "I14: a redeployment, whoever else changed something",
      {
        reason: "redeploy" as const,
        merged: mergeChanges([row({ kind: "redeploy" }), row({ actorName: "Bo" })]),
      },
      "redeployed by Ada, with 1 file changed",
    ],
    [
      "I14: a click that carries a redeployment",
      { reason: "user" as const, merged: mergeChanges([row({ kind: "redeploy" })]) },
      "restarted by Ada",
    ],
    [
      "X3: many files",
      { merged: mergeChanges(seventeen) },
      "17 files saved by Ada, 12:01:07 to 12:01:55",
    ],
    ["X3: one file", { merged: mergeChanges([row()]) }, "1 file changed by Ada"],
    [
      "X4: a setting and a file",
      {
        reason: "settings",
        merged: mergeChanges([row(), row({ kind: "setting", name: "model" })]),
      },
      "model and 1 file changed by Ada",
    ],
    [
      "X4: two people",
      {
        reason: "secret",
        merged: mergeChanges([
          row({ kind: "secret", name: "OPENAI_API_KEY" }),
          row({ actorName: "Bo" }),
        ]),
      },
      "OPENAI_API_KEY and 1 file changed by Ada and Bo",
    ],
    [
      "X4: many settings",
      {
        reason: "settings",
        merged: mergeChanges(["a", "b", "c"].map((name) => row({ kind: "setting", name }))),
      },
      "3 settings changed by Ada",
    ],
    ["X5: a click", { reason: "user" }, "restarted by Ada"],
    ["X5: a creation", { reason: "create" }, "created by Ada"],
    ["X5: a resume", { reason: "resume" }, "resumed by Ada"],
    ["X6: a crash", { reason: "crash", exit: "exit code 1" }, "crashed (exit code 1)"],
    [
      "X10: an orderly end",
      { reason: "crash", exit: "0" },
      "the agent was stopped from outside (0)",
    ],
    [
      "X9: an end together with the engine",
      { reason: "platform_upgrade", exit: ENDED_WITH_ENGINE },
      "the Docker engine was stopped and runs again",
    ],
    ["X6: a crash of unknown kind", { reason: "crash" }, "the agent stopped by itself"],
    [
      "X7: a retry",
      { reason: "boot_retry", failure: "The agent did not answer within 600 s." },
      "another try: The agent did not answer within 600 s.",
    ],
    [
      "X8: changes that ride along",
      { reason: "user", merged: mergeChanges([row({ kind: "setting", name: "model" })]) },
      "restarted by Ada, with model changed",
    ],
  ] as const)("%s", (_name, over, sentence) => {
    expect(explainAttempt(cause(over as Partial<AttemptCause>))).toBe(sentence);
  });
});
