import { EVENT_TYPES } from "@molecule/domain/sets";
import { describe, expect, it } from "vitest";
import { payloadProblem } from "./event-payloads.ts";

/** A payload as contract §16.3 writes it, for every name of the closed set. */
const EXAMPLES: Record<string, Record<string, unknown>> = {
  WORKSPACE_PROVISIONING: { name: "Ada", tier: 3, runtime: "demo", parent_id: "p", x: 1, y: 2 },
  WORKSPACE_ONLINE: { url: "", agent_card: { name: "Ada" }, delivery_mode: "poll" },
  WORKSPACE_OFFLINE: {},
  WORKSPACE_DEGRADED: { runtime_state: "wedged", sample_error: "" },
  WORKSPACE_PROVISION_FAILED: { error: "It did not start.", missing: ["KEY"], timeout_secs: 600 },
  WORKSPACE_AWAITING_AGENT: { name: "Ada", external: true },
  WORKSPACE_PAUSED: { name: "Ada" },
  WORKSPACE_HIBERNATED: { name: "Ada", tier: 3 },
  WORKSPACE_REMOVED: { cascade_deleted: 2 },
  WORKSPACE_UPDATED: { changed: ["name"] },
  WORKSPACE_STAGE: { attempt: 1, stage: "booting" },
  WORKSPACE_PENDING_CHANGE: { kind: "file", count: 1, generation: 2 },
  WORKSPACE_AUTO_RESTART_FIRED: {
    attempt: 2,
    reason: "files",
    detail: "1 file changed by Ada",
    actor: "Ada",
    merged: [{ kind: "file", count: 1, from: "2030-01-01", to: "2030-01-01" }],
    generation: 2,
  },
  WORKSPACE_RESTARTING_MID_WRITE: { attempt: 2, kind: "file", path: "a.md", will_apply_in: "next" },
  WORKSPACE_HEARTBEAT: { active_tasks: 0, uptime_seconds: 1 },
  AGENT_CARD_UPDATED: { agent_card: { name: "Ada" } },
  TASK_UPDATED: { current_task: "", active_tasks: 0 },
  ACTIVITY_LOGGED: {
    activity_type: "agent_log",
    method: null,
    summary: "s",
    status: "ok",
    source_id: null,
    target_id: null,
    duration_ms: null,
  },
  AGENT_MESSAGE: { message: "hi", workspace_id: "w", name: "Ada" },
  A2A_RESPONSE: {
    activity_id: "a",
    message_id: null,
    method: "message/send",
    duration_ms: 5,
    response_body: {},
  },
  DELEGATION_SENT: { delegation_id: "d", target_id: "t", task_preview: "x" },
  DELEGATION_STATUS: { delegation_id: "d", target_id: "t", status: "queued" },
  DELEGATION_COMPLETE: { delegation_id: "d", response_preview: "x", via: "queue_drain" },
  DELEGATION_FAILED: { delegation_id: "d", error: "x" },
  LAYOUT_UPDATED: {},
  SWEEP_ACTED: {
    action: "busy_cleared",
    rule: "G15",
    backend: null,
    workspace_id: "w",
    summary: "s",
    evidence: { active_tasks: 1 },
  },
  SCHEDULE_UPDATED: { schedule_id: "s", schedule_name: "", change: "created" },
  CRON_EXECUTED: { schedule_id: "s", schedule_name: "", status: "ok" },
  CRON_SKIPPED: { schedule_id: "s", schedule_name: "", reason: "It is paused.", code: "paused" },
  APPROVAL_REQUESTED: { approval_id: "a", action: "send", task_id: null, reason: "" },
  APPROVAL_APPROVED: { approval_id: "a", action: "send", task_id: null, decided_by: "Ada" },
  APPROVAL_DENIED: { approval_id: "a", action: "send", task_id: "t", decided_by: null },
  ORG_IMPORT_UPDATED: {
    import_id: "i",
    org: "Team",
    state: "making",
    staged: false,
    actor: "Ada",
    total: 3,
    there: 1,
    left_out: 1,
    released: 1,
  },
  BOOT_TOKEN_REFUSED: { attempt: 2, why: "used", summary: "s" },
};

describe("the payloads of events", () => {
  it.each(EVENT_TYPES)("%s takes what the contract writes, on both ends", (event) => {
    const example = EXAMPLES[event];
    expect(example, "an example is missing").toBeDefined();
    expect(payloadProblem(event, example, "told")).toBeNull();
    expect(payloadProblem(event, example, "heard")).toBeNull();
  });

  it.each(EVENT_TYPES)(
    "%s is told with nothing else, and heard with what a newer server adds",
    (event) => {
      const more = { ...EXAMPLES[event], from_the_future: 1 };
      expect(payloadProblem(event, more, "told")).toContain("from_the_future");
      expect(payloadProblem(event, more, "heard")).toBeNull();
    },
  );

  it.each(EVENT_TYPES)("%s refuses each of its fields when it is of another kind", (event) => {
    for (const field of Object.keys(EXAMPLES[event] ?? {})) {
      if (field === "response_body") continue;
      const wrong = { ...EXAMPLES[event], [field]: () => undefined };
      for (const end of ["told", "heard"] as const) {
        expect(payloadProblem(event, wrong, end), field).toContain(`${event}: ${field}`);
      }
    }
  });

  it("has a delegation's row told in the words of a delegation, every other row in its own", () => {
    const row = (activity_type: string, status: string) =>
      payloadProblem(
        "ACTIVITY_LOGGED",
        { ...EXAMPLES.ACTIVITY_LOGGED, activity_type, status },
        "told",
      );
    expect(row("delegation", "completed")).toBeNull();
    expect(row("delegation", "ok")).toContain("ACTIVITY_LOGGED: status");
    expect(row("a2a_receive", "failed")).toContain("ACTIVITY_LOGGED: status");
  });

  it("passes over a name that the hearer does not know, and refuses to tell one", () => {
    expect(payloadProblem("TOMORROWS_EVENT", {}, "heard")).toBeNull();
    expect(payloadProblem("TOMORROWS_EVENT", {}, "told")).toBe("TOMORROWS_EVENT is no event");
  });

  it("says where a payload is wrong, and never what was in it", () => {
    const problem = payloadProblem("AGENT_MESSAGE", { message: { secret: "s3cret" } }, "told");
    expect(problem).toContain("AGENT_MESSAGE: message");
    expect(problem).not.toContain("s3cret");
  });
});
