import type { StreamEvent } from "@molecule/contracts/events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkEvent } from "./check-event.ts";

const event = (name: string, payload: Record<string, unknown>) =>
  ({
    event: name,
    workspace_id: "w",
    timestamp: "",
    payload,
    cursor: "1.1",
    node: { id: "w" },
  }) as unknown as StreamEvent;

const reported: string[] = [];
beforeEach(() => {
  reported.length = 0;
  vi.stubGlobal("reportError", (error: Error) => reported.push(error.message));
});
afterEach(() => vi.unstubAllGlobals());

test("an event as the server sends it passes untouched, also with what a newer server adds", () => {
  const known = event("TASK_UPDATED", { current_task: "x", active_tasks: 1, newer: true });
  expect(checkEvent(known)).toBe(known);
  const unknown = event("TOMORROWS_EVENT", { anything: [] });
  expect(checkEvent(unknown)).toBe(unknown);
  expect(reported).toEqual([]);
});

test("a payload that is wrong is not shown; the node and the cursor stay, and the fault is reported", () => {
  const wrong = event("ACTIVITY_LOGGED", { activity_type: 5 });
  expect(checkEvent(wrong)).toEqual({ ...wrong, payload: {} });
  expect(reported).toEqual([expect.stringContaining("ACTIVITY_LOGGED: activity_type")]);
});
