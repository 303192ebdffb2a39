import type { ConnectionView } from "@molecule/contracts/procedures";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { whyAwaited } from "@molecule/domain/connect-steps";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { message, saying, startTestAgent } from "../../a2a/test-agent.fixture.ts";
import { createTestApi, TEST_ADMIN_TOKEN, type TestApi } from "../../api.fixture.ts";

type Connect = NonNullable<WorkspaceNode["connect"]>;
interface Told {
  readonly event?: string;
  readonly workspace_id?: string;
  readonly control?: string;
  readonly node?: WorkspaceNode;
}

let api: TestApi;
let url: string;
let socket: WebSocket;
const stream: Told[] = [];
beforeAll(async () => {
  api = await createTestApi({ platform: { allowCidrs: ["127.0.0.0/8"] } });
  url = await api.listen();
  const headers = { authorization: `Bearer ${TEST_ADMIN_TOKEN}` };
  socket = new WebSocket(`${url.replace("http", "ws")}/ws`, { headers });
  socket.on("message", (data) => stream.push(JSON.parse(String(data)) as Told));
  await waitUntil("the stream is live", () => stream.some((one) => one.control === "live"));
});
afterAll(async () => {
  socket.terminate();
  await api[Symbol.asyncDispose]();
});

interface Far {
  readonly id: string;
  readonly token: string;
}

const create = async (): Promise<Far> => {
  const answer = await api.call("POST", "/workspaces", { body: { name: "Far", external: true } });
  const { id, connection } = (await answer.json()) as { id: string; connection: ConnectionView };
  return { id, token: connection.auth_token };
};
const register = (far: Far, more: Record<string, unknown> = {}) =>
  api.call("POST", "/registry/register", {
    token: far.token,
    body: { id: far.id, url: "", delivery_mode: "poll", agent_card: { name: "far" }, ...more },
  });
const beat = (far: Far, more: Record<string, unknown> = {}) =>
  api.call("POST", "/registry/heartbeat", {
    token: far.token,
    body: { workspace_id: far.id, ...more },
  });
const notify = (far: Far) =>
  api.call("POST", `/workspaces/${far.id}/notify`, { token: far.token, body: { message: "hi" } });
const nodeOf = async (id: string): Promise<WorkspaceNode | undefined> => {
  const answer = await api.call("GET", "/trpc/workspaces.list");
  const { result } = (await answer.json()) as { result: { data: WorkspaceNode[] } };
  return result.data.find((node) => node.id === id);
};
const connectOf = async (id: string) => (await nodeOf(id))?.connect as Connect;
/** The latest state of the connection that the stream has told. */
const toldOf = (id: string) =>
  stream.findLast((one) => one.workspace_id === id && one.node !== undefined)?.node?.connect;
const isTold = (id: string, step: keyof Connect) =>
  waitUntil(`the stream tells ${step}`, () => typeof toldOf(id)?.[step] === "string");
const trpc = (path: string, workspaceId: string) =>
  api.call("POST", `/trpc/${path}`, { body: { workspaceId } });

describe("the steps of a connection", () => {
  it("E1, E2: are told on the stream as they happen, each with the time it happened first", async () => {
    const far = await create();
    await isTold(far.id, "tokenAt");
    expect((await register(far)).status).toBe(200);
    await isTold(far.id, "registeredAt");
    expect(toldOf(far.id)).toMatchObject({ firstBeatAt: null, firstMessageAt: null });
    expect((await beat(far)).status).toBe(200);
    await isTold(far.id, "firstBeatAt");
    expect((await notify(far)).status).toBe(200);
    await isTold(far.id, "firstMessageAt");
    const first = await connectOf(far.id);
    expect(toldOf(far.id)).toEqual(first);
    for (const again of [register, beat, notify]) expect((await again(far)).status).toBe(200);
    expect(await connectOf(far.id)).toEqual(first);
  });

  it("E2: stay when what they are read from is trimmed away, and come in any order", async () => {
    const far = await create();
    await beat(far, { active_tasks: 1, current_task: "first" });
    await isTold(far.id, "firstBeatAt");
    await notify(far);
    await isTold(far.id, "firstMessageAt");
    expect(await connectOf(far.id)).toMatchObject({ registeredAt: null });
    const before = await connectOf(far.id);
    await api.test.sql`DELETE FROM activity WHERE workspace_id = ${far.id}`;
    await api.test.sql`DELETE FROM events WHERE subject_id = ${far.id}`;
    expect(await connectOf(far.id)).toEqual(before);
  });

  it("E1: count a message to another agent, and the answer of one that messages are sent to", async () => {
    const speaker = await create();
    await register(speaker);
    const answerer = await create();
    await using agent = await startTestAgent();
    agent.behave(saying("yes"));
    await register(answerer, { url: `http://${agent.address}/`, delivery_mode: "push" });
    for (const far of [speaker, answerer]) await beat(far);
    const send = (from: Far | null, to: Far) =>
      api.call("POST", `/workspaces/${to.id}/a2a`, {
        body: message("hello"),
        ...(from === null ? {} : { token: from.token }),
      });
    // What is written to an agent that polls is nothing it has said.
    expect((await send(null, speaker)).status).toBe(200);
    expect(await connectOf(speaker.id)).toMatchObject({ firstMessageAt: null });
    expect((await send(speaker, answerer)).status).toBe(200);
    await isTold(speaker.id, "firstMessageAt");
    await isTold(answerer.id, "firstMessageAt");
  });

  it("are nobody's whom the platform starts itself", async () => {
    const id = await api.createWorkspace();
    expect((await nodeOf(id))?.connect).toBeNull();
  });
});

describe("rotating a token", () => {
  it("E4: leaves one token that works; the agent is refused until it has that, and connects anew", async () => {
    const far = await create();
    await register(far);
    await beat(far);
    await notify(far);
    expect((await trpc("tokens.mint", far.id)).status).toBe(200);
    const silences = () =>
      stream.filter(
        (one) => one.workspace_id === far.id && one.event === "WORKSPACE_AWAITING_AGENT",
      );
    // Its creation is one, and the stream tells it a moment later.
    const atFirst = 1;
    await waitUntil("its creation is told", () => silences().length === atFirst);
    const answer = await trpc("tokens.rotate", far.id);
    const { result } = (await answer.json()) as { result: { data: ConnectionView } };
    const fresh = { id: far.id, token: result.data.auth_token };
    expect(result.data.python_snippet).toContain(fresh.token);
    for (const call of [register, beat, notify]) expect((await call(far)).status).toBe(401);
    const live = await api.test.sql`SELECT kind FROM workspace_tokens
      WHERE workspace_id = ${far.id} AND revoked_at IS NULL`;
    expect(live).toHaveLength(1);
    await waitUntil("the stream tells it", () => toldOf(far.id)?.registeredAt === null);
    // At once, not when its last beat is old: what it has cannot beat any more.
    const shown = await nodeOf(far.id);
    expect(shown).toMatchObject({ status: "awaiting_agent", lastHeartbeatAt: expect.any(String) });
    expect(whyAwaited(shown?.connect ?? null, shown?.lastHeartbeatAt ?? null)).toBe(
      "token_replaced",
    );
    expect(silences()).toHaveLength(atFirst + 1);
    expect(toldOf(far.id)).toMatchObject({ firstBeatAt: null, firstMessageAt: expect.any(String) });
    expect((await register(fresh)).status).toBe(200);
    expect((await beat(fresh)).status).toBe(200);
    await isTold(far.id, "firstBeatAt");
    expect(await nodeOf(far.id)).toMatchObject({ status: "online" });
    expect(silences()).toHaveLength(atFirst + 1);
    const [row] = await api.test.sql`SELECT summary FROM activity
      WHERE workspace_id = ${far.id} AND activity_type = 'lifecycle' ORDER BY seq DESC LIMIT 1`;
    expect(row?.summary).toMatch(/^Token replaced by .+; 2 before are refused from now on$/);
    expect(JSON.stringify(stream)).not.toContain(fresh.token);
  });

  it("E4: with its last token revoked an agent is awaited at once, and with one left it is not", async () => {
    const far = await create();
    await register(far);
    await beat(far);
    await trpc("tokens.mint", far.id);
    const revokeOne = async (kind: string) => {
      const [token] = await api.test.sql`SELECT id FROM workspace_tokens
        WHERE workspace_id = ${far.id} AND kind = ${kind}::token_kind AND revoked_at IS NULL`;
      const path = `/workspaces/${far.id}/tokens/${token?.id}`;
      return (await api.call("DELETE", path)).status;
    };
    expect(await revokeOne("minted")).toBe(200);
    expect(await nodeOf(far.id)).toMatchObject({ status: "online" });
    expect(await revokeOne("external")).toBe(200);
    expect(await nodeOf(far.id)).toMatchObject({ status: "awaiting_agent" });
  });

  it("E4: is for agents that run elsewhere; the snippets are there again, without a token", async () => {
    const ours = await api.createWorkspace();
    expect((await trpc("tokens.rotate", ours)).status).toBe(400);
    const far = await create();
    const input = encodeURIComponent(JSON.stringify({ workspaceId: far.id }));
    const answer = await api.call("GET", `/trpc/tokens.connection?input=${input}`);
    const { result } = (await answer.json()) as { result: { data: ConnectionView } };
    expect(result.data).toMatchObject({ workspace_id: far.id, auth_token: "" });
    expect(result.data.typescript_snippet).toContain("YOUR_TOKEN");
    expect(JSON.stringify(result.data)).not.toContain(far.token);
  });
});
