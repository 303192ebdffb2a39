import type { RestartRequestView } from "@molecule/contracts/ledger";
import { expect, test } from "vitest";
import { requestText } from "./restart-requests.ts";

const request = (over: Partial<RestartRequestView>): RestartRequestView => ({
  id: 1,
  source: "click",
  outcome: "merged",
  attemptNo: 4,
  actor: { kind: "member", name: "Ada" },
  sentence: "Attempt 4 was under way and includes it.",
  count: 1,
  firstAt: "2026-01-01T00:00:00.000Z",
  lastAt: "2026-01-01T00:00:12.000Z",
  ...over,
});

test("a request says what asked and whose it was, and why it was no restart of its own", () => {
  expect(requestText(request({}), "Ben")).toEqual({
    lead: "Restart clicked by Ada",
    why: "Attempt 4 was under way and includes it.",
  });
  expect(requestText(request({ count: 3 }), "Ada").lead).toBe(
    "Restart clicked 3 times within 12 s by you",
  );
});

test("a storm of probes is one row with its count", () => {
  const actor = { kind: "platform" as const, name: "Molecule" };
  const storm = request({ outcome: "observed", source: "liveness", count: 900, actor });
  expect(requestText(storm, null).lead).toBe("No sign of life 900 times within 12 s");
});
