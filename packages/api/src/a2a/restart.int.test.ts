import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { createTestApi } from "../api.fixture.ts";
import { startDispatcher } from "./start-dispatcher.ts";
import { message, runAt, startTestAgent } from "./test-agent.fixture.ts";

const event = (result: unknown) => `data: ${JSON.stringify({ jsonrpc: "2.0", id: 1, result })}\n\n`;
const state = (name: string) => ({
  kind: "task",
  id: "t1",
  contextId: "c",
  status: { state: name },
});

it("an answer that a stopping server leaves behind is fetched by the next one", async () => {
  await using api = await createTestApi();
  await using agent = await startTestAgent();
  const id = await api.createWorkspace({ name: "Target" });
  await runAt(api, id, agent.address);
  let isDone = false;
  agent.behave((call, res) => {
    if (call.body.method === "tasks/get") {
      const artifacts = [{ artifactId: "a", parts: [{ kind: "text", text: "after all" }] }];
      const result = isDone ? { ...state("completed"), artifacts } : state("working");
      res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result }));
      return;
    }
    res.setHeader("content-type", "text/event-stream");
    res.write(event(state("working")));
  });
  const response = await api.call("POST", `/workspaces/${id}/a2a`, {
    body: message("hi", "m", "message/stream"),
  });
  const reader = response.body?.getReader();
  await reader?.read();
  const row = async () => {
    const [found] = await api.test.sql`SELECT a.*, q.task_id FROM activity a
      JOIN a2a_queue q ON q.id = a.id WHERE a.workspace_id = ${id}`;
    return found ?? {};
  };
  await waitUntil("the task is known", async () => (await row()).task_id === "t1");
  await api.deps.dispatcher.stop(0);
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("restarting");
  expect((await row()).status).toBe("pending");

  const { db, cipher, log } = api.deps;
  const next = startDispatcher({
    db,
    cipher,
    log,
    allowCidrs: [],
    a2aIdleTimeoutMs: 5000,
    pollMs: 20,
  });
  await waitUntil("the next one asks", () => agent.calls.length === 2);
  isDone = true;
  await waitUntil("the answer is stored", async () => (await row()).status === "ok");
  expect((await row()).response_body.result.artifacts[0].parts[0].text).toBe("after all");
  expect(agent.calls.filter((call) => call.body.method === "message/stream")).toHaveLength(1);
  await next.stop(0);
});
