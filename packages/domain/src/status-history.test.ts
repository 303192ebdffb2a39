import { expect, it } from "vitest";
import { type StatusPast, statusAfter, statusSpans } from "./status-history.ts";

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute));
const past = (over: Partial<StatusPast>): StatusPast => ({
  from: at(0),
  to: at(60),
  before: "online",
  changes: [],
  present: "online",
  ...over,
});
const change = (event: StatusPast["changes"][number]["event"], minute: number) => ({
  event,
  willRetry: false,
  at: at(minute),
});

it("L7: a failed start that is tried again is offline, the last one failed", () => {
  const event = "WORKSPACE_PROVISION_FAILED";
  expect(statusAfter({ event, willRetry: true })).toBe("offline");
  expect(statusAfter({ event, willRetry: false })).toBe("failed");
});

it("L7: spans have no gaps, differ from their neighbours and end in the present", () => {
  const spans = statusSpans(
    past({
      changes: [
        change("WORKSPACE_ONLINE", 5),
        change("WORKSPACE_OFFLINE", 10),
        change("WORKSPACE_OFFLINE", 11),
        change("WORKSPACE_PROVISIONING", 12),
        change("WORKSPACE_ONLINE", 14),
      ],
    }),
  );
  expect(spans).toEqual([
    { status: "online", from: at(0), to: at(10) },
    { status: "offline", from: at(10), to: at(12) },
    { status: "provisioning", from: at(12), to: at(14) },
    { status: "online", from: at(14), to: at(60) },
  ]);
});

it("L7: an unknown beginning is said to be unknown, and a quiet time is the present's", () => {
  const changes = [change("WORKSPACE_PROVISIONING", 20)];
  expect(statusSpans(past({ before: null, changes, present: "provisioning" }))).toEqual([
    { status: null, from: at(0), to: at(20) },
    { status: "provisioning", from: at(20), to: at(60) },
  ]);
  expect(statusSpans(past({ before: null, present: "online" }))).toEqual([
    { status: "online", from: at(0), to: at(60) },
  ]);
});

it("L7: a present that no event has told yet begins now", () => {
  expect(statusSpans(past({ before: "paused", present: "provisioning" }))).toEqual([
    { status: "paused", from: at(0), to: at(60) },
    { status: "provisioning", from: at(60), to: at(60) },
  ]);
});
