import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Message, Role, type SendMessageRequest, TaskState } from "@a2a-js/sdk";
import { type Client, ClientFactory, JsonRpcTransportFactory } from "@a2a-js/sdk/client";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../../api/src/api.fixture.ts";
import { a2aCard } from "./a2a/agent-card.ts";
import { connectWorkspace } from "./connect-workspace.ts";
import type { ServedAgent } from "./serve-agent.ts";

/** The official SDK on both sides of the platform's proxy. */
describe.each(["0.3", "1.0"])(
  "the official A2A client, protocol %s, through the proxy",
  (version) => {
    let api: TestApi;
    let folder: string;
    let agent: ServedAgent;
    let client: Client;
    beforeAll(async () => {
      api = await createTestApi({ platform: { allowCidrs: ["127.0.0.0/8"] } });
      const url = await api.listen();
      folder = await mkdtemp(path.join(tmpdir(), "molecule-a2a-"));
      const body = { name: "Far", external: true };
      const answer = await api.call("POST", "/workspaces", { body });
      const { id, connection } = (await answer.json()) as {
        id: string;
        connection: { auth_token: string };
      };
      const token = connection.auth_token;
      const workspace = await connectWorkspace({
        platformUrl: url,
        workspaceId: id,
        token,
        folder,
      });
      agent = await workspace.serve({
        card: { name: "Far" },
        agent: async function* ({ text }) {
          yield "You ";
          yield `said: ${text}`;
        },
      });
      await waitUntil("it is online", async () => {
        const row = (await (await api.call("GET", `/workspaces/${id}`)).json()) as {
          status: string;
        };
        return row.status === "online";
      });
      const caller = await api.createWorkspace({ name: "Caller" });
      client = await clientOf(`${url}/workspaces/${id}/a2a`, await api.tokenOf(caller));
    });
    afterAll(async () => {
      await agent.stop();
      await api[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    async function clientOf(url: string, token: string): Promise<Client> {
      const fetchImpl: typeof fetch = (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set("authorization", `Bearer ${token}`);
        return fetch(input, { ...init, headers });
      };
      const transport = new JsonRpcTransportFactory({ fetchImpl, legacyCompat: { enabled: true } });
      const card = a2aCard({ name: "Far", description: "", version: "1", url, skills: [] });
      const supportedInterfaces = card.supportedInterfaces.filter(
        (one) => one.protocolVersion === version,
      );
      return await new ClientFactory({ transports: [transport] }).createFromAgentCard({
        ...card,
        supportedInterfaces,
      });
    }

    it("sends a message and reads the answer", async () => {
      const result = await client.sendMessage(saying("hello"));
      expect(textOf(result)).toBe("You said: hello");
    });

    it("streams the answer as it comes, and asks for the task afterwards", async () => {
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
  },
);

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
