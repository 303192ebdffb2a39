import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { payloadProblem } from "@molecule/contracts/event-payloads";
import { EVENT_TYPES } from "@molecule/domain/sets";
import { describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../../../..");
/** Where events are told. */
const TELLERS = ["packages/db/src", "packages/api/src", "apps/worker/src"];

/** Names of contract §16.3 that are [extra] there (§24) and that nothing of this platform tells. */
const EXTRA = [
  "WORKSPACE_EXPANDED",
  "WORKSPACE_COLLAPSED",
  "AGENT_ASSIGNED",
  "AGENT_REPLACED",
  "AGENT_REMOVED",
  "AGENT_MOVED",
  "APPROVAL_REQUESTED",
  "APPROVAL_ESCALATED",
  "APPROVAL_APPROVED",
  "APPROVAL_DENIED",
  "CHANNEL_MESSAGE",
];
/** The other names of contract §16.3. */
const REQUIRED = [
  "WORKSPACE_PROVISIONING",
  "WORKSPACE_ONLINE",
  "WORKSPACE_OFFLINE",
  "WORKSPACE_DEGRADED",
  "WORKSPACE_PROVISION_FAILED",
  "WORKSPACE_AWAITING_AGENT",
  "WORKSPACE_PAUSED",
  "WORKSPACE_HIBERNATED",
  "WORKSPACE_REMOVED",
  "AGENT_CARD_UPDATED",
  "TASK_UPDATED",
  "WORKSPACE_HEARTBEAT",
  "ACTIVITY_LOGGED",
  "AGENT_MESSAGE",
  "A2A_RESPONSE",
  "DELEGATION_SENT",
  "DELEGATION_STATUS",
  "DELEGATION_COMPLETE",
  "DELEGATION_FAILED",
  "CRON_EXECUTED",
  "CRON_SKIPPED",
  "WORKSPACE_AUTO_RESTART_FIRED",
  "WORKSPACE_RESTARTING_MID_WRITE",
];

const sources = TELLERS.flatMap((folder) => {
  const files = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => /\.ts$/.test(file) && !/\.(test|fixture)\.ts$/.test(file))
    .map((file) => readFileSync(path.join(ROOT, folder, file), "utf8"));
});
const isTold = (event: string) => sources.some((source) => source.includes(`"${event}"`));

describe("the closed list of events", () => {
  it("has every name that contract §16.3 requires", () => {
    expect(REQUIRED.filter((name) => !EVENT_TYPES.some((event) => event === name))).toEqual([]);
  });

  it.each(EVENT_TYPES)("%s has a schema and somebody who tells it", (event) => {
    expect(payloadProblem(event, {}, "told")).not.toBe(`${event} is no event`);
    expect(isTold(event)).toBe(true);
  });

  it.each(EXTRA)("%s is told by nobody, or it is in the list", (name) => {
    expect(isTold(name)).toBe(EVENT_TYPES.some((event) => event === name));
  });
});
