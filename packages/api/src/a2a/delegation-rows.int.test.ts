import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { message, runAt, startTestAgent, type TestAgent } from "./test-agent.fixture.ts";

/** What creating an external workspace answers. */
interface External {
  readonly id: string;
  readonly connection: { readonly auth_token: string };
}

let api: TestApi;
let agent: TestAgent;
let boss: string;
let peer: string;
let token: string;

beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  agent = await startTestAgent();
  boss = await api.createWorkspace({ name: "Boss" });
  token = await api.tokenOf(boss);
});
afterEach(async () => {
  await agent.close();
  await api.test.setSkewMs(0);
});

const delegate = async () => {
  const response = await api.call("POST", `/workspaces/${boss}/delegate`, {
    body: { target_id: peer, task: "count" },
    token,
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { delegation_id: string }).delegation_id;
};
const told = async () => {
  const response = await api.call("GET", `/workspaces/${boss}/delegations`, { token });
  return (await response.json()) as Record<string, unknown>[];
};
/** `method status` of both rows, oldest first, and the body of the result. */
const rows = async () => {
  const found = await api.test.sql`SELECT method, status, response_body, error_detail FROM activity
    WHERE workspace_id = ${boss} AND activity_type = 'delegation' ORDER BY seq`;
  return found.map((row) => [row.method, row.status, row.response_body, row.error_detail]);
};
/** The statuses of both rows as a runtime reads them, oldest first. */
const words = async () => {
  const response = await api.call("GET", `/workspaces/${boss}/activity?type=delegation`, { token });
  return ((await response.json()) as { status: string }[]).map((row) => row.status).reverse();
};
/** The statuses of both rows as they were told live, in their order. */
const liveWords = async () => {
  const found = await api.test.sql`SELECT payload FROM events WHERE subject_id = ${boss}
    AND event = 'ACTIVITY_LOGGED' AND payload ->> 'activity_type' = 'delegation' ORDER BY id`;
  return found.map(({ payload }) => `${payload.method} ${payload.status}`);
};
const states = async () => (await rows()).map(([method, status]) => `${method} ${status}`);
const events = async () => {
  const found = await api.test.sql`SELECT event, payload FROM events
    WHERE subject_id = ${boss} AND event::text LIKE 'DELEGATION%' ORDER BY id`;
  return found.map(({ event, payload }) => [event, payload.status ?? payload.via ?? payload.error]);
};
/** Looks for what waits at once, again and again: it may just have been looked at in vain. */
const ended = (status: string) =>
  waitUntil(`it is ${status}`, async () => {
    await api.test.sql`UPDATE a2a_queue SET next_action_at = cp_now()
      WHERE workspace_id = ${peer} AND status = 'queued'`;
    return (await told())[0]?.status === status;
  });

describe("a delegation to an agent that is not ready", () => {
  beforeEach(async () => {
    peer = await api.createWorkspace({ name: "Peer" });
    await runAt(api, peer, agent.address);
    await api.test
      .sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${peer}`;
  });

  it("DG5: is queued in both rows, and completed in both when it was done", async () => {
    const id = await delegate();
    expect(await rows()).toEqual([
      ["delegate", "queued", null, null],
      ["delegate_result", "queued", { delegation_id: id, queued: true }, null],
    ]);
    expect((await told())[0]).toMatchObject({ status: "queued" });
    expect(await words()).toEqual(["queued", "queued"]);
    await api.test
      .sql`UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = ${peer}`;
    await ended("completed");
    expect(await words()).toEqual(["completed", "completed"]);
    expect(await liveWords()).toEqual([
      "delegate dispatched",
      "delegate queued",
      "delegate_result queued",
      "delegate dispatched",
      "delegate completed",
      "delegate_result completed",
    ]);
    expect(await rows()).toEqual([
      ["delegate", "ok", { delegation_id: id, text: "hello" }, null],
      ["delegate_result", "ok", { delegation_id: id, text: "hello" }, null],
    ]);
    expect((await told())[0]).toMatchObject({ response_preview: "hello" });
    expect(await events()).toEqual([
      ["DELEGATION_SENT", undefined],
      ["DELEGATION_STATUS", "queued"],
      ["DELEGATION_STATUS", "dispatched"],
      ["DELEGATION_COMPLETE", "queue_drain"],
    ]);
  });

  it("DG5: fails in both rows when its time is over", async () => {
    const id = await delegate();
    await api.test.setSkewMs(25 * 3_600_000);
    await ended("failed");
    const sentence = expect.stringContaining("24 hours");
    expect(await rows()).toEqual([
      ["delegate", "error", null, sentence],
      ["delegate_result", "error", { delegation_id: id, text: "" }, sentence],
    ]);
    expect((await events()).at(-1)).toEqual(["DELEGATION_FAILED", sentence]);
  });

  it("DG5: fails in both rows when its agent is removed", async () => {
    await delegate();
    await api.call("DELETE", `/workspaces/${peer}?confirm=true`);
    await ended("failed");
    expect(await states()).toEqual(["delegate error", "delegate_result error"]);
    expect((await told())[0]?.error).toContain("removed");
  });

  it("DG5: is queued, not failed, when its agent sleeps", async () => {
    await api.test.sql`UPDATE workspaces SET intent = 'hibernated', phase = 'PAUSED',
      deadline_at = NULL WHERE id = ${peer}`;
    await delegate();
    expect((await told())[0]).toMatchObject({ status: "queued" });
    await api.test.sql`UPDATE workspaces SET phase = 'READY' WHERE id = ${peer}`;
    await ended("completed");
    expect(agent.calls).toHaveLength(1);
  });

  it("DG5: fails in both rows when the operator drops what waits too long", async () => {
    await delegate();
    const drop = (query: string) => api.call("POST", `/admin/a2a-queue/drop-stale${query}`);
    expect(await (await drop(`?workspace_id=${peer}`)).json()).toEqual({ dropped: 0 });
    await api.test.setSkewMs(3 * 3_600_000);
    expect(await (await drop(`?max_age_minutes=179&workspace_id=${boss}`)).json()).toEqual({
      dropped: 0,
    });
    expect(await (await drop(`?workspace_id=${peer}`)).json()).toEqual({ dropped: 1 });
    expect(await states()).toEqual(["delegate error", "delegate_result error"]);
    expect((await told())[0]?.error).toContain("Dropped by the administrator");
    for (const query of ["?max_age_minutes=0", "?max_age_minutes=x", "?workspace_id=x"]) {
      expect((await drop(query)).status).toBe(400);
    }
  });

  it("DG5: fails in both rows when the agent breaks it off", async () => {
    agent.behave((_call, res) => void res.destroy());
    await delegate();
    await api.test
      .sql`UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = ${peer}`;
    await ended("failed");
    expect(await states()).toEqual(["delegate error", "delegate_result error"]);
    expect(agent.calls).toHaveLength(1);
  });
});

it("DG5: a delegation that its server did not get to send is sent by the next call with its key", async () => {
  peer = await api.createWorkspace({ name: "Peer" });
  await runAt(api, peer, agent.address);
  const id = crypto.randomUUID();
  await api.test
    .sql`INSERT INTO activity (workspace_id, activity_type, status, source_id, target_id,
    method, request_body, idempotency_key) VALUES (${boss}, 'delegation', 'pending', ${boss}, ${peer},
    'delegate', ${api.test.sql.json({ task: "count", delegation_id: id })}, 'k')`;
  const body = { target_id: peer, task: "count", idempotency_key: "k" };
  for (const _ of [1, 2]) {
    const response = await api.call("POST", `/workspaces/${boss}/delegate`, { body, token });
    expect(await response.json()).toMatchObject({ delegation_id: id, idempotent_hit: true });
  }
  await ended("completed");
  expect(agent.calls).toHaveLength(1);
});

describe("a delegation to an agent that polls", () => {
  let peerToken: string;
  beforeEach(async () => {
    const body = { name: "Far", external: true };
    const created = (await (await api.call("POST", "/workspaces", { body })).json()) as External;
    peer = created.id;
    peerToken = created.connection.auth_token;
  });
  const inbox = async () => {
    const query = "/activity?type=a2a_receive&since_secs=600";
    const response = await api.call("GET", `/workspaces/${peer}${query}`, { token: peerToken });
    return (await response.json()) as { id: string; request_body: unknown; status: string }[];
  };

  it("DG6: is not completed by lying in an inbox, but by the answer of its agent", async () => {
    const id = await delegate();
    expect((await told())[0]).toMatchObject({ status: "queued" });
    expect(await inbox()).toMatchObject([
      { request_body: { params: { message: { messageId: id } } } },
    ]);
    const answer = (answerTo: string, messageId: string) => {
      const asked = message("seven", messageId);
      const metadata = { answer_to: answerTo };
      const params = { message: { ...asked.params.message, metadata } };
      return api.call("POST", `/workspaces/${boss}/a2a`, {
        body: { ...asked, params },
        token: peerToken,
      });
    };
    // Boss is not ready, so the answer itself waits; another task's id ends nothing.
    expect((await answer("another", "a0")).status).toBe(202);
    expect((await told())[0]).toMatchObject({ status: "queued" });
    expect((await answer(id, "a1")).status).toBe(202);
    expect((await told())[0]).toMatchObject({ status: "completed", response_preview: "seven" });
    expect(await states()).toEqual(["delegate ok", "delegate_result ok"]);
    // The sender's repeated message is answered with what came of it.
    const again = await api.call("POST", `/workspaces/${peer}/a2a`, {
      body: { ...message("count", id) },
      token,
    });
    expect(await again.json()).toMatchObject({ result: { parts: [{ text: "seven" }] } });
    expect(await inbox()).toHaveLength(1);
  });

  it.each([
    ["completed", { response_preview: "eight" }, { response_preview: "eight" }],
    ["failed", { error: "no luck" }, { error: "no luck" }],
  ])("DG6: is %s by the word of its agent, and of nobody else", async (status, body, expected) => {
    const id = await delegate();
    const stranger = await api.createWorkspace({ name: "Stranger" });
    const update = (as: string, bearer: string) =>
      api.call("POST", `/workspaces/${as}/delegations/${id}/update`, {
        body: { status, ...body },
        token: bearer,
      });
    expect((await update(stranger, await api.tokenOf(stranger))).status).toBe(404);
    expect((await update(peer, peerToken)).status).toBe(200);
    expect((await told())[0]).toMatchObject({ status, ...expected });
    expect((await update(peer, peerToken)).status).toBe(404);
  });

  it("DG6: fails when nobody answers in time, and leaves the inbox", async () => {
    await delegate();
    await api.test.setSkewMs(25 * 3_600_000);
    await ended("failed");
    expect((await told())[0]?.error).toBe("Far did not answer in 24 hours.");
    const [row] = await api.test.sql`SELECT status FROM activity WHERE workspace_id = ${peer}`;
    expect(row?.status).toBe("error");
  });

  it("DG6: fails when its agent is removed", async () => {
    await delegate();
    await api.call("DELETE", `/workspaces/${peer}?confirm=true`);
    await ended("failed");
    expect((await told())[0]?.error).toBe("Far was removed before it answered.");
  });

  it("is refused under an id that another sender's message has", async () => {
    await api.call("POST", `/workspaces/${peer}/a2a`, { body: message("mine", "same") });
    const response = await api.call("POST", `/workspaces/${peer}/a2a`, {
      body: message("other", "same"),
      token,
    });
    expect(response.status).toBe(409);
    expect(await inbox()).toHaveLength(1);
  });
});
