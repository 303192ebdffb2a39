import { waitUntil } from "@molecule/testing/wait-until";
import { afterEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi, type TestApiOptions } from "../api.fixture.ts";
import { message, startTestAgent, type TestAgent } from "./test-agent.fixture.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const REFUSED = [
  "http://127.0.0.1:9000/",
  "http://localhost:9000/",
  "http://localhost.:9000/",
  "http://[::1]:9000/",
  "http://2130706433:9000/",
  "http://0177.0.0.1:9000/",
  "http://169.254.169.254/latest/meta-data",
  "http://10.0.0.1:8080/",
  "http://[::ffff:127.0.0.1]:9000/",
  "http://[64:ff9b::7f00:1]:9000/",
  "http://168.63.129.16/",
  "http://metadata.google.internal/",
  "http://user:pw@93.184.216.34/",
  "http://93.184.216.34:22/",
  "file:///etc/passwd",
  "not a url",
  "cannot register %s",
];

interface External {
  readonly api: TestApi;
  readonly agent: TestAgent;
  readonly id: string;
  readonly token: string;
}

async function external(options: TestApiOptions = {}): Promise<External> {
  const api = await createTestApi(options);
  open.push(api);
  const agent = await startTestAgent();
  open.push(agent);
  const response = await api.call("POST", "/workspaces", { body: { name: "Far", external: true } });
  const created = (await response.json()) as {
    id: string;
    connection: { auth_token: string };
  };
  return { api, agent, id: created.id, token: created.connection.auth_token };
}

const register = ({ api, id, token }: External, body: object) =>
  api.call("POST", "/registry/register", { token, body: { id, agent_card: {}, ...body } });
const statusOf = async ({ api, id }: External) => {
  const row = (await (await api.call("GET", `/workspaces/${id}`)).json()) as { status: string };
  return row.status;
};

describe("an external agent", () => {
  it("is dialled at its url when the operator allows that network, and gets the secret", async () => {
    const far = await external({ platform: { allowCidrs: ["127.0.0.0/8"] } });
    const url = `http://${far.agent.address}/`;
    const registered = await register(far, { url, delivery_mode: "push" });
    expect(registered.status).toBe(200);
    expect(await statusOf(far)).toBe("online");
    const response = await far.api.call("POST", `/workspaces/${far.id}/a2a`, {
      body: message("hi"),
    });
    expect(response.status).toBe(200);
    expect(far.agent.calls[0]?.headers.authorization).toMatch(/^Bearer [\w-]{43}$/);
  });

  it("cannot register an address that is not public, however it is spelled", async () => {
    const far = await external();
    for (const url of REFUSED) {
      const response = await register(far, { url, delivery_mode: "push" });
      expect(response.status, url).toBe(400);
      expect(await response.json()).toMatchObject({ error: expect.stringContaining("url") });
    }
  });

  it("is not dialled at a private address that came into the row by other means", async () => {
    const far = await external();
    await register(far, { delivery_mode: "poll" });
    await far.api.test.sql`UPDATE workspaces SET delivery_mode = 'push',
      advertised_url = ${`http://${far.agent.address}/`} WHERE id = ${far.id}`;
    const response = await far.api.call("POST", `/workspaces/${far.id}/a2a`, {
      body: message("hi"),
    });
    expect(response.status).toBe(502);
    expect(far.agent.calls).toHaveLength(0);
  });

  it("that was not reached may be sent the same message again", async () => {
    const far = await external({ platform: { allowCidrs: ["127.0.0.0/8"] } });
    await register(far, { url: `http://${far.agent.address}/`, delivery_mode: "push" });
    await far.agent.close();
    const send = () =>
      far.api.call("POST", `/workspaces/${far.id}/a2a`, { body: message("hi", "again") });
    expect((await send()).status).toBe(502);
    await far.agent.reopen();
    expect((await send()).status).toBe(200);
    expect(far.agent.calls).toHaveLength(1);
  });

  it("that polls finds its messages on its activity list, in order and without gaps", async () => {
    const far = await external();
    await register(far, { delivery_mode: "poll" });
    for (const text of ["one", "two"]) {
      const response = await far.api.call("POST", `/workspaces/${far.id}/a2a`, {
        body: message(text, text),
      });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        status: "queued",
        delivery_mode: "poll",
        method: "message/send",
      });
    }
    const poll = async (query: string) => {
      const target = `/workspaces/${far.id}/activity?type=a2a_receive&${query}`;
      const response = await far.api.call("GET", target, { token: far.token });
      return (await response.json()) as { id: string; request_body: unknown }[];
    };
    const [newest, first] = await poll("since_secs=600");
    expect(newest?.request_body).toEqual(message("two", "two"));
    expect(await poll(`since_id=${first?.id}`)).toMatchObject([{ id: newest?.id }]);
    const gone = await far.api.call(
      "GET",
      `/workspaces/${far.id}/activity?since_id=11111111-1111-4111-8111-111111111111`,
      { token: far.token },
    );
    expect(gone.status).toBe(410);
  });

  it("is waited for after ninety seconds of silence and found by its next beat", async () => {
    const far = await external();
    await register(far, { delivery_mode: "poll" });
    expect(await statusOf(far)).toBe("online");
    await far.api.test.setSkewMs(100_000);
    expect(await statusOf(far)).toBe("awaiting_agent");
    await far.api.test.db.transaction(async (tx) => {
      const { markSilentExternals } = await import("@molecule/db/registry/liveness");
      expect(await markSilentExternals(tx)).toBe(1);
      expect(await markSilentExternals(tx)).toBe(0);
    });
    await far.api.call("POST", "/registry/heartbeat", {
      token: far.token,
      body: { workspace_id: far.id },
    });
    expect(await statusOf(far)).toBe("online");
    const told = await far.api.test.sql`SELECT event FROM events WHERE subject_id = ${far.id}
      AND event IN ('WORKSPACE_AWAITING_AGENT', 'WORKSPACE_ONLINE') ORDER BY id`;
    expect(told.map((row) => row.event).slice(-2)).toEqual([
      "WORKSPACE_AWAITING_AGENT",
      "WORKSPACE_ONLINE",
    ]);
  });

  it("that is silent keeps the connection only as long as the limit", async () => {
    const far = await external({
      platform: { allowCidrs: ["127.0.0.0/8"], a2aIdleTimeoutMs: 200 },
    });
    await register(far, { url: `http://${far.agent.address}/`, delivery_mode: "push" });
    far.agent.behave(() => undefined);
    const response = await far.api.call("POST", `/workspaces/${far.id}/a2a`, {
      body: message("hi"),
    });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: expect.stringContaining("silent") });
  });

  it("that beats is waited for, however long its answer takes", async () => {
    const far = await external({
      platform: { allowCidrs: ["127.0.0.0/8"], a2aIdleTimeoutMs: 600 },
    });
    await register(far, { url: `http://${far.agent.address}/`, delivery_mode: "push" });
    let beats = 0;
    far.agent.behave(async (call, res) => {
      await waitUntil(
        "the agent has beaten often enough",
        async () => {
          const body = { workspace_id: far.id, uptime_seconds: beats };
          await far.api.call("POST", "/registry/heartbeat", { token: far.token, body });
          beats += 1;
          return beats >= 12;
        },
        { everyMs: 100 },
      );
      res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result: { parts: [] } }));
    });
    const response = await far.api.call("POST", `/workspaces/${far.id}/a2a`, {
      body: message("hi"),
    });
    expect(response.status).toBe(200);
    expect(beats).toBeGreaterThanOrEqual(12);
  });
});
