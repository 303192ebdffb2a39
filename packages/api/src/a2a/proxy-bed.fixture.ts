import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { runAt, startTestAgent, type TestAgent } from "./test-agent.fixture.ts";

/**
 * A platform for the file and one running agent that is new for every test. To be called once at the top
 * of a test file.
 */
export function openProxyBed() {
  let api: TestApi;
  let agent: TestAgent;
  let id: string;
  beforeAll(async () => {
    api = await createTestApi();
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    agent = await startTestAgent();
    id = await api.createWorkspace({ name: "Target" });
    await runAt(api, id, agent.address);
  });
  afterEach(async () => {
    await agent.close();
  });

  /** Its rows of received messages, oldest first. */
  const rows = async () =>
    await api.test.sql`SELECT * FROM activity WHERE workspace_id = ${id}
      AND activity_type = 'a2a_receive' ORDER BY seq`;
  return {
    get api() {
      return api;
    },
    get agent() {
      return agent;
    },
    /** The agent's workspace. */
    get id() {
      return id;
    },
    rows,
    items: async () => await api.test.sql`SELECT * FROM a2a_queue WHERE workspace_id = ${id}`,
    send: (
      body: unknown,
      options: { token?: string | null; headers?: Record<string, string> } = {},
    ) => api.call("POST", `/workspaces/${id}/a2a`, { body, ...options }),
    /** Waits until its first message has this status. */
    ended: (status: string) =>
      waitUntil(`the row is ${status}`, async () => {
        const [row] = await rows();
        return row?.status === status ? row : null;
      }),
  };
}
