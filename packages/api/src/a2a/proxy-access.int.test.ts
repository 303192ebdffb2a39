import { describe, expect, it } from "vitest";
import { openProxyBed } from "./proxy-bed.fixture.ts";
import { message, runAt, saying } from "./test-agent.fixture.ts";

const bed = openProxyBed();
const { send, rows } = bed;

describe("who may send", () => {
  it.each([
    ["no credential", null, {}, 401],
    ["a wrong bearer", "wst_nope", {}, 401],
    ["an internal caller's name", undefined, { "x-workspace-id": "system:restart" }, 403],
    ["a caller that is no id", undefined, { "x-workspace-id": "abc" }, 400],
    [
      "the admin token in a workspace's name",
      undefined,
      { "x-workspace-id": "11111111-1111-4111-8111-111111111111" },
      401,
    ],
  ])("%s is refused", async (_name, token, headers, status) => {
    const response = await send(message("hi"), {
      headers,
      ...(token === undefined ? {} : { token }),
    });
    expect(response.status).toBe(status);
    expect(bed.agent.calls).toHaveLength(0);
  });

  it("a workspace speaks in its own name only, and along the hierarchy", async () => {
    const parent = await bed.api.createWorkspace({ name: "Parent" });
    const child = await bed.api.createWorkspace({ name: "Child", parent_id: parent });
    const token = await bed.api.tokenOf(child);
    expect((await send(message("hi"), { token })).status).toBe(403);
    const spoofed = await send(message("hi"), { token, headers: { "x-workspace-id": parent } });
    expect(spoofed.status).toBe(401);
    const sibling = await bed.api.createWorkspace({ name: "Sibling" });
    const allowed = await send(message("hi"), {
      token: await bed.api.tokenOf(sibling),
      headers: { "x-workspace-id": sibling },
    });
    expect(allowed.status).toBe(200);
    expect(bed.agent.calls[0]?.headers["x-workspace-id"]).toBe(sibling);
    expect(await rows()).toMatchObject([{ source_id: sibling, actor_name: "Sibling" }]);
  });

  it("a message to oneself needs a token too", async () => {
    expect(
      (await send(message("hi"), { token: null, headers: { "x-workspace-id": bed.id } })).status,
    ).toBe(401);
    expect((await send(message("hi"), { token: await bed.api.tokenOf(bed.id) })).status).toBe(200);
  });

  it("no agent in a ring of agents that keep asking each other", async () => {
    const sibling = await bed.api.createWorkspace({ name: "Echo" });
    await runAt(bed.api, sibling, bed.agent.address);
    const tokens = {
      [bed.id]: await bed.api.tokenOf(bed.id),
      [sibling]: await bed.api.tokenOf(sibling),
    };
    const ask = (from: string, to: string) =>
      bed.api.call("POST", `/workspaces/${to}/a2a`, {
        token: tokens[from] ?? null,
        body: message("and you?"),
      });
    const statuses: number[] = [];
    bed.agent.behave(async (call, res) => {
      const from = call.headers["x-workspace-id"] === sibling ? bed.id : sibling;
      const next = await ask(from, from === bed.id ? sibling : bed.id);
      statuses.push(next.status);
      await saying("enough")(call, res, undefined as never);
    });
    expect((await ask(sibling, bed.id)).status).toBe(200);
    expect(statuses[0]).toBe(409);
    expect(statuses.slice(1).every((status) => status === 200)).toBe(true);
    expect(bed.agent.calls).toHaveLength(16);
  });

  it("nobody past the budget", async () => {
    await bed.api.test
      .sql`UPDATE workspaces SET budget_limit = 5, monthly_spend = 5 WHERE id = ${bed.id}`;
    expect((await send(message("hi"))).status).toBe(402);
  });
});

describe("bad input", () => {
  it.each([
    ["no JSON", "{", 400],
    ["an array", "[]", 400],
    ["nothing", "", 400],
    ["no method", "{}", 400],
    [
      "a message id that is no text",
      JSON.stringify({ method: "message/send", params: { message: { messageId: 5 } } }),
      400,
    ],
    ["more than a megabyte", JSON.stringify(message("x".repeat(1_048_577))), 413],
  ])("%s is refused and nothing is kept", async (_name, body, status) => {
    const response = await bed.api.call("POST", `/workspaces/${bed.id}/a2a`, {
      body,
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.any(String) });
    expect(await rows()).toHaveLength(0);
  });

  it("an unknown workspace is 404 and no id at all is 400", async () => {
    const unknown = await bed.api.call(
      "POST",
      "/workspaces/11111111-1111-4111-8111-111111111111/a2a",
      {
        body: message("hi"),
      },
    );
    expect(unknown.status).toBe(404);
    expect(
      (await bed.api.call("POST", "/workspaces/nope/a2a", { body: message("hi") })).status,
    ).toBe(400);
  });
});

describe("what is told", () => {
  it("the answer to a person, and the row to both sides of agents", async () => {
    await send(message("hi", "told"));
    const sibling = await bed.api.createWorkspace({ name: "Sibling" });
    await send(message("hi", "told2"), { token: await bed.api.tokenOf(sibling) });
    const events = await bed.api.test.sql`SELECT event, subject_id, payload FROM events
      WHERE subject_id IN (${bed.id}, ${sibling}) AND event IN ('A2A_RESPONSE', 'ACTIVITY_LOGGED')
        AND payload->>'activity_type' IS DISTINCT FROM 'lifecycle' ORDER BY id`;
    const answers = events.filter((event) => event.event === "A2A_RESPONSE");
    expect(answers).toHaveLength(1);
    expect(answers[0]?.payload).toMatchObject({ method: "message/send", message_id: "told" });
    const forSibling = events.filter((event) => event.subject_id === sibling);
    expect(forSibling.map((event) => event.payload.status)).toEqual(["pending", "ok"]);
  });
});
