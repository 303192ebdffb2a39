import { MAX_PENDING_APPROVALS } from "@molecule/domain/approval";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

const NOWHERE = "00000000-0000-4000-8000-000000000000";

let api: TestApi;
let id: string;
let token: string;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  id = await api.createWorkspace({ name: "Ada", secrets: { A_KEY: "hunter22" } });
  token = await api.tokenOf(id);
});

type Row = Record<string, unknown>;
const at = (rest = "") => `/workspaces/${id}/approvals${rest}`;

async function ask(body: Row = {}): Promise<[number, Row]> {
  const response = await api.call("POST", at(), { token, body: { action: "deploy", ...body } });
  return [response.status, (await response.json()) as Row];
}
async function decide(aid: unknown, body: Row): Promise<[number, Row]> {
  const response = await api.call("POST", at(`/${aid}/decide`), { body });
  return [response.status, (await response.json()) as Row];
}
const list = async () => (await (await api.call("GET", at(), { token })).json()) as Row[];
const pending = async () => {
  const rows = (await (await api.call("GET", "/approvals/pending")).json()) as Row[];
  return rows.filter((row) => row.workspace_id === id);
};
const eventsOf = async () => {
  const rows = await api.test.sql`
    SELECT event, payload FROM events WHERE subject_id = ${id} AND event::text LIKE 'APPROVAL%' ORDER BY id`;
  return rows.map((row) => [row.event, (row.payload as Row).decided_by]);
};

describe("approvals", () => {
  it("AP1 are asked for, shown to people without secrets, decided once, and told", async () => {
    const [status, made] = await ask({
      reason: "with hunter22",
      task_id: "t",
      context: { key: "hunter22", "\u0000": "\ud800" },
    });
    expect([status, made]).toEqual([
      201,
      { approval_id: expect.any(String), status: "pending", expires_at: expect.any(String) },
    ]);
    const row = {
      approval_id: made.approval_id,
      workspace_id: id,
      action: "deploy",
      reason: "with ••••••",
      task_id: "t",
      context: { key: "••••••", "\u0000": "\ud800" },
      status: "pending",
      decided_by: null,
    };
    expect(await list()).toMatchObject([row]);
    expect(await pending()).toMatchObject([{ ...row, workspace_name: "Ada" }]);
    const yes = { decision: "approved", decided_by: "me" };
    expect(await decide(made.approval_id, yes)).toEqual([
      200,
      { status: "approved", approval_id: made.approval_id, decided_by: "me" },
    ]);
    expect((await decide(made.approval_id, { ...yes, decided_by: "you" }))[1].decided_by).toBe(
      "me",
    );
    expect(await decide(made.approval_id, { decision: "denied" })).toMatchObject([
      409,
      { status: "approved" },
    ]);
    expect(await pending()).toEqual([]);
    expect(await list()).toMatchObject([{ status: "approved", decided_at: expect.any(String) }]);
    expect(await eventsOf()).toEqual([
      ["APPROVAL_REQUESTED", undefined],
      ["APPROVAL_APPROVED", "me"],
    ]);
  });

  it("AP1 of answers that come at once one counts", async () => {
    const [, made] = await ask();
    const answers = await Promise.all(
      ["approved", "denied", "approved", "denied"].map((decision) =>
        decide(made.approval_id, { decision }),
      ),
    );
    expect(answers.map(([status]) => status).toSorted()).toEqual([200, 200, 409, 409]);
    expect(await eventsOf()).toHaveLength(2);
  });

  it("AP2 are denied by themselves after ten minutes, whoever looks", async () => {
    const made = await Promise.all(["a", "b", "c"].map((action) => ask({ action })));
    await api.test.sql`UPDATE approvals SET expires_at = cp_now() WHERE workspace_id = ${id}`;
    expect(await decide(made[0]?.[1].approval_id, { decision: "approved" })).toMatchObject([
      409,
      { status: "denied" },
    ]);
    await Promise.all([list(), pending(), list(), pending()]);
    expect((await list()).map((row) => [row.status, row.decided_by])).toEqual(
      Array.from({ length: 3 }, () => ["denied", "Molecule"]),
    );
    expect((await eventsOf()).filter(([event]) => event === "APPROVAL_DENIED")).toHaveLength(3);
  });

  it("AP3 are decided by people and the operator, never by an agent", async () => {
    const [, made] = await ask();
    const target = at(`/${made.approval_id}/decide`);
    const body = { decision: "approved", decided_by: "somebody else" };
    expect((await api.call("POST", target, { token, body })).status).toBe(401);
    const parent = await api.tokenOf(await api.createWorkspace());
    expect((await api.call("POST", target, { token: parent, body })).status).toBe(401);
    const viewer = { token: null, headers: await api.signIn("viewer"), body };
    expect((await api.call("POST", target, viewer)).status).toBe(403);
    const editor = { token: null, headers: await api.signIn("editor"), body };
    const answered = await api.call("POST", target, editor);
    // The name is that of who was signed in.
    expect(await answered.json()).toMatchObject({ decided_by: "A editor" });
  });

  it("AP4 asked again for the same task they are the one that waits", async () => {
    const [, first] = await ask({ task_id: "t" });
    const [, again] = await ask({ task_id: "t" });
    expect(again.approval_id).toBe(first.approval_id);
    expect((await ask({ task_id: "t", action: "delete" }))[1].approval_id).not.toBe(
      first.approval_id,
    );
    expect((await ask())[1].approval_id).not.toBe((await ask())[1].approval_id);
    await decide(first.approval_id, { decision: "denied" });
    expect((await ask({ task_id: "t" }))[1].approval_id).not.toBe(first.approval_id);
  });

  it("AP5 wait twenty at a time", async () => {
    const answers: number[] = [];
    for (let n = 0; n <= MAX_PENDING_APPROVALS; n += 1) answers.push((await ask())[0]);
    expect(answers).toEqual([...Array.from({ length: MAX_PENDING_APPROVALS }, () => 201), 429]);
  });

  it("AP6 are told to their agent, once, unless it has read the answer itself", async () => {
    const notes = async () =>
      (
        await api.test.sql`
        SELECT q.status, q.idempotency_key, a.status AS row_status, a.activity_type, a.actor_name,
          q.body #>> '{params,message,parts,0,text}' AS text,
          q.body #> '{params,message,metadata}' AS metadata
        FROM a2a_queue q JOIN activity a ON a.id = q.id WHERE q.workspace_id = ${id}
        ORDER BY a.seq`
      ).map((row) => ({ ...row }));
    const [, first] = await ask({ task_id: "t" });
    const [, second] = await ask({ action: "delete" });
    await list();
    expect(await notes()).toEqual([]);
    await decide(first.approval_id, { decision: "approved", decided_by: "Eve" });
    await decide(first.approval_id, { decision: "approved", decided_by: "Eve" });
    const told = {
      status: "queued",
      idempotency_key: `approval:${first.approval_id}`,
      row_status: "queued",
      activity_type: "a2a_receive",
      actor_name: "Molecule",
      text: "You asked a person whether you may: deploy\nApproved by Eve. You may do it now.",
      metadata: {
        source: "platform",
        kind: "approval_decided",
        approval_id: first.approval_id,
        decision: "approved",
        decided_by: "Eve",
        task_id: "t",
      },
    };
    expect(await notes()).toEqual([told]);
    // A person who reads it is not the agent.
    await api.call("GET", at());
    expect(await notes()).toEqual([told]);
    await list();
    const read = { ...told, status: "completed", row_status: "ok" };
    expect(await notes()).toEqual([read]);
    await api.test
      .sql`UPDATE approvals SET expires_at = cp_now() WHERE id = ${String(second.approval_id)}`;
    expect(await pending()).toEqual([]);
    expect(await notes()).toMatchObject([
      read,
      { status: "queued", text: expect.stringContaining("Nobody answered within 10 minutes") },
    ]);
  });

  it("AP6 are on the list of an agent that polls, and cost one without a budget nothing", async () => {
    const made = await api.call("POST", "/workspaces", { body: { name: "Far", external: true } });
    const far = (await made.json()) as { id: string; connection: { auth_token: string } };
    id = far.id;
    token = far.connection.auth_token;
    const [, first] = await ask();
    const [, second] = await ask();
    await decide(first.approval_id, { decision: "denied", decided_by: "Eve" });
    const inbox = async () => {
      const query = "activity?type=a2a_receive&since_secs=600";
      return (await (
        await api.call("GET", `/workspaces/${id}/${query}`, { token })
      ).json()) as Row[];
    };
    const rows = await inbox();
    expect(rows).toMatchObject([{ source_id: null, status: "ok" }]);
    expect(JSON.stringify(rows[0]?.request_body)).toContain("Denied by Eve. Do not do it.");
    await api.call("PATCH", `/workspaces/${id}/budget`, { body: { budget_limit: 0 } });
    await decide(second.approval_id, { decision: "approved" });
    expect(await inbox()).toHaveLength(1);
  });

  it("refuse what is missing, wrong or too large, and keep nothing of it", async () => {
    const refused: readonly (readonly [string, Row, number])[] = [
      ["no action", { action: "" }, 400],
      ["an action of spaces", { action: " " }, 400],
      ["a number", { action: 5 }, 400],
      ["a long action", { action: "x".repeat(1_001) }, 400],
      ["a list as reason", { reason: [] }, 400],
      ["a large context", { context: "x".repeat(16_384) }, 413],
    ];
    for (const [name, body, status] of refused) expect((await ask(body))[0], name).toBe(status);
    expect(await list()).toEqual([]);
  });

  it("answer 400, 404 and 410 where they must", async () => {
    const [, made] = await ask();
    for (const wrong of [{}, { decision: "maybe" }, { decision: "pending" }, { decision: null }]) {
      expect((await decide(made.approval_id, wrong))[0]).toBe(400);
    }
    const yes = { decision: "approved" };
    for (const aid of [NOWHERE, "x", id]) expect((await decide(aid, yes))[0]).toBe(404);
    await api.call("DELETE", `/workspaces/${id}?confirm=true`);
    expect((await decide(made.approval_id, yes))[0]).toBe(410);
    expect((await api.call("GET", at())).status).toBe(410);
    expect(await pending()).toEqual([]);
  });
});
