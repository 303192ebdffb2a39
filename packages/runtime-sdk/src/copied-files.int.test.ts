import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../../api/src/api.fixture.ts";
import { type AnswerFunction, answering } from "./answering.ts";
import { type ConnectedWorkspace, connectWorkspace } from "./connect-workspace.ts";
import type { ServedAgent } from "./serve-agent.ts";

interface Served {
  readonly id: string;
  readonly folder: string;
  readonly workspace: ConnectedWorkspace;
}

let api: TestApi;
let url: string;
let root: string;
const agents: ServedAgent[] = [];

beforeAll(async () => {
  api = await createTestApi({ platform: { allowCidrs: ["127.0.0.0/8"] } });
  url = await api.listen();
  root = await mkdtemp(path.join(tmpdir(), "molecule-copied-"));
});
afterAll(async () => {
  for (const agent of agents) await agent.stop();
  await api[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

/** A real agent of the SDK, dialled by the platform. */
async function serve(name: string, agent: AnswerFunction): Promise<Served> {
  const created = await api.call("POST", "/workspaces", { body: { name, external: true } });
  const { id, connection } = (await created.json()) as {
    id: string;
    connection: { auth_token: string };
  };
  const folder = path.join(root, name);
  const token = connection.auth_token;
  const workspace = await connectWorkspace({ platformUrl: url, workspaceId: id, token, folder });
  agents.push(await workspace.serve({ card: { name }, agent: answering(name, agent) }));
  await waitUntil("it is online", async () => {
    const row = await (await api.call("GET", `/workspaces/${id}`)).json();
    return (row as { status: string }).status === "online";
  });
  return { id, folder, workspace };
}

it("KF4: a file of one real agent is a file of the other, where its message says", async () => {
  const seen: string[] = [];
  const taker: Served = await serve("Taker", async ({ text, files }) => {
    for (const { name, uri } of files) {
      const place = uri.replace(/^workspace:\/workspace/, path.join(root, "Taker/workspace"));
      seen.push(`${name}: ${await readFile(place, "utf8")}`);
    }
    return `${text}: ${files.length}`;
  });
  const giver = await serve("Giver", async () => "ok");
  const own = path.join(giver.folder, "workspace/out");
  await mkdir(own, { recursive: true });
  await writeFile(path.join(own, "report.md"), "# All is well\n");
  await writeFile(path.join(own, "table.csv"), "a,b\n");
  const send = (names: readonly string[]) =>
    giver.workspace.client.call({
      method: "POST",
      path: `/workspaces/${taker.id}/a2a`,
      body: {
        method: "message/send",
        params: {
          message: {
            role: "user",
            messageId: crypto.randomUUID(),
            parts: [
              { kind: "text", text: "files" },
              ...names.map((name) => ({
                kind: "file",
                file: { uri: `workspace:/workspace/out/${name}`, name },
              })),
            ],
          },
        },
      },
    });
  const answer = await send(["report.md", "table.csv"]);
  expect(JSON.stringify(answer.body)).toContain("files: 2");
  expect(seen).toEqual(["report.md: # All is well\n", "table.csv: a,b\n"]);
  const refused = await send(["report.md", "missing.md"]);
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).toContain("missing.md");
  expect(seen).toHaveLength(2);
});
