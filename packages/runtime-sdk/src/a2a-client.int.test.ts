import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Message, Role, type SendMessageRequest, TaskState } from "@a2a-js/sdk";
import { type Client, ClientFactory, JsonRpcTransportFactory } from "@a2a-js/sdk/client";
import { createClient, createTextMessage, type TaskUpdate } from "@automattic/agenttic-client";
import { waitUntil } from "@molecule/testing/wait-until";
import { A2AClient } from "a2a-sdk-0-3/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../../api/src/api.fixture.ts";
import { a2aCard } from "./a2a/agent-card.ts";
import { connectWorkspace } from "./connect-workspace.ts";
import type { ServedAgent } from "./serve-agent.ts";

/** The official SDK on both sides of the platform's proxy. */
describe("the official A2A client through the proxy", () => {
  let api: TestApi;
  let folder: string;
  let agent: ServedAgent;
  let url: string;
  let token: string;
  beforeAll(async () => {
    api = await createTestApi({ platform: { allowCidrs: ["127.0.0.0/8"] } });
    const platformUrl = await api.listen();
    folder = await mkdtemp(path.join(tmpdir(), "molecule-a2a-"));
    const body = { name: "Far", external: true };
    const answer = await api.call("POST", "/workspaces", { body });
    const { id: workspaceId, connection } = (await answer.json()) as {
      id: string;
      connection: { auth_token: string };
    };
    const far = { platformUrl, workspaceId, token: connection.auth_token, folder };
    const workspace = await connectWorkspace(far);
    agent = await workspace.serve({
      card: { name: "Far" },
      agent: async function* ({ text }) {
        yield "You ";
        yield `said: ${text}`;
      },
    });
    await waitUntil("it is online", async () => {
      const response = await api.call("GET", `/workspaces/${workspaceId}`);
      return ((await response.json()) as { status: string }).status === "online";
    });
    url = `${platformUrl}/workspaces/${workspaceId}/a2a`;
    token = await api.tokenOf(await api.createWorkspace({ name: "Caller" }));
  });
  afterAll(async () => {
    await agent.stop();
    await api[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const fetchImpl: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${token}`);
    return fetch(input, { ...init, headers });
  };

  async function clientOf(version: string): Promise<Client> {
    const transport = new JsonRpcTransportFactory({ fetchImpl, legacyCompat: { enabled: true } });
    const card = a2aCard({ name: "Far", description: "", version: "1", url, skills: [] });
    const supportedInterfaces = card.supportedInterfaces.filter(
      (one) => one.protocolVersion === version,
    );
    const factory = new ClientFactory({ transports: [transport] });
    return await factory.createFromAgentCard({ ...card, supportedInterfaces });
  }

  it.each(["0.3", "1.0"])("sends a message of A2A %s and reads the answer", async (version) => {
    const client = await clientOf(version);
    const result = await client.sendMessage(saying("hello"));
    expect(textOf(result)).toBe("You said: hello");
  });

  it.each(["0.3", "1.0"])("streams an answer of A2A %s and asks for its task", async (version) => {
    const client = await clientOf(version);
    let text = "";
    let taskId = "";
    let last: TaskState | undefined;
    for await (const { payload } of client.sendMessageStream(saying("again"))) {
      if (payload?.$case === "task") taskId = payload.value.id;
      if (payload?.$case === "artifactUpdate") text += partsText(payload.value.artifact?.parts);
      if (payload?.$case === "statusUpdate") last = payload.value.status?.state;
    }
    expect(text).toBe("You said: again");
    expect(last).toBe(TaskState.TASK_STATE_COMPLETED);
    const task = await client.getTask({ id: taskId, tenant: "", historyLength: undefined });
    expect(textOf(task)).toBe("You said: again");
  });

  it("speaks with a client that was published before 1.0, whole and streamed", async () => {
    const card = {
      name: "Far",
      description: "",
      version: "1",
      url,
      protocolVersion: "0.3.0",
      capabilities: { streaming: true },
      defaultInputModes: ["text/plain"],
      defaultOutputModes: ["text/plain"],
      skills: [],
    };
    const client = new A2AClient(card, { fetchImpl });
    const params = (text: string) => ({
      message: {
        kind: "message" as const,
        role: "user" as const,
        messageId: crypto.randomUUID(),
        parts: [{ kind: "text" as const, text }],
      },
    });
    const answer = await client.sendMessage(params("hello"));
    expect(answer).toMatchObject({
      result: { kind: "task", artifacts: [{ parts: [{ text: "You said: hello" }] }] },
    });
    const kinds: string[] = [];
    for await (const event of client.sendMessageStream(params("again"))) kinds.push(event.kind);
    expect([kinds[0], kinds.at(-1)]).toEqual(["task", "status-update"]);
    expect(kinds).toContain("artifact-update");
  });

  it("speaks with a client that others wrote and published, whole and streamed", async () => {
    const client = createClient({
      agentUrl: url.replace(/\/a2a$/, ""),
      agentId: "a2a",
      authProvider: async () => ({ authorization: `Bearer ${token}` }),
    });
    const sent = await client.sendMessage({ message: createTextMessage("hello") });
    expect(sent.status.state).toBe("completed");
    expect(JSON.stringify(sent)).toContain("You said: hello");
    const updates: TaskUpdate[] = [];
    for await (const update of client.sendMessageStream({ message: createTextMessage("again") })) {
      updates.push(update);
    }
    // It reads texts of states only, so what is said as an artifact is not among its updates.
    const states = updates.map(({ status }) => status.state);
    expect([states[0], states.at(-1)]).toEqual(["submitted", "completed"]);
  });
});

type Parts = Message["parts"] | undefined;

function saying(value: string): SendMessageRequest {
  return {
    tenant: "",
    configuration: undefined,
    metadata: undefined,
    message: {
      messageId: crypto.randomUUID(),
      contextId: "",
      taskId: "",
      role: Role.ROLE_USER,
      parts: [
        {
          content: { $case: "text", value },
          metadata: undefined,
          filename: "",
          mediaType: "text/plain",
        },
      ],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    },
  };
}

function partsText(parts: Parts): string {
  return (parts ?? [])
    .map((part) => (part.content?.$case === "text" ? part.content.value : ""))
    .join("");
}

function textOf(result: object): string {
  const { artifacts, parts } = result as { artifacts?: { parts: Parts }[]; parts?: Parts };
  return artifacts?.map((artifact) => partsText(artifact.parts)).join("") ?? partsText(parts);
}
