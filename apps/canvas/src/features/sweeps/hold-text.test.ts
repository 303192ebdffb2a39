import { expect, test } from "vitest";
import { holdText } from "./hold-text.ts";

const removal = { providerId: "p", workspaceId: "w", name: null, attemptNo: 1, rule: "G3" };

test("a mass removal names how many of how many, and confirming it is a danger", () => {
  const removals = Array.from({ length: 12 }, () => removal);
  expect(holdText({ kind: "removals", backend: "docker", listed: 14, removals })).toEqual({
    line: "The sweep wants to remove 12 of 14 instances",
    title: "Remove 12 of 14 instances?",
    confirm: "Remove 12 instances",
    dismiss: "Leave them alone",
    isDanger: true,
  });
});

test("another machine is a question about the machine and removes nothing", () => {
  const text = holdText({ kind: "identity", backend: "docker", listed: null, removals: [] });
  expect(text).toMatchObject({ line: "Another machine answers for “docker”", isDanger: false });
});
