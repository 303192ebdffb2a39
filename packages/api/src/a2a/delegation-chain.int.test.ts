import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { message, runAt, saying, startTestAgent, type TestAgent } from "./test-agent.fixture.ts";

interface Member {
  readonly id: string;
  readonly token: string;
  readonly agent: TestAgent;
}

let api: TestApi;
const team: Record<string, Member> = {};

beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  for (const name of ["Ada", "Ben", "Cora"]) {
    const agent = await startTestAgent();
    const id = await api.createWorkspace({ name });
    await runAt(api, id, agent.address);
    team[name] = { id, token: await api.tokenOf(id), agent };
  }
});
afterEach(async () => {
  for (const { agent } of Object.values(team)) await agent.close();
});

const of = (name: string): Member => {
  const member = team[name];
  if (member === undefined) throw new Error(name);
  return member;
};
/** A task as runtimes send it. */
const ask = (from: string, to: string) => {
  const body = message("do it", crypto.randomUUID());
  const metadata = { delegation_id: body.params.message.messageId };
  const params = { message: { ...body.params.message, metadata } };
  return api.call("POST", `/workspaces/${of(to).id}/a2a`, {
    body: { ...body, params },
    token: of(from).token,
  });
};
/** While it works on anything, `from` does this first; what came of it is answered. */
const whileWorking = (from: string, work: () => Promise<Response>) => {
  const answers: Response[] = [];
  of(from).agent.behave(async (call, res, req) => {
    answers.push(await work());
    await saying("done")(call, res, req);
  });
  return answers;
};
const chainsOf = async (name: string) => {
  const found = await api.test.sql`SELECT chain FROM a2a_queue WHERE workspace_id = ${of(name).id}
    ORDER BY enqueued_at`;
  return found.map((row) => row.chain);
};

it("DG2: a task that would come back to who began it is refused, with the path by name", async () => {
  whileWorking("Ben", () => ask("Ben", "Cora"));
  const refused = whileWorking("Cora", () => ask("Cora", "Ada"));
  expect((await ask("Ada", "Ben")).status).toBe(200);
  expect(refused[0]?.status).toBe(409);
  expect(await refused[0]?.json()).toMatchObject({
    error: "This would go round in a circle: Ada → Ben → Cora → Ada.",
    path: [of("Ada").id, of("Ben").id, of("Cora").id, of("Ada").id],
  });
  expect(of("Ada").agent.calls).toHaveLength(0);
  expect(await chainsOf("Cora")).toEqual([[of("Ada").id, of("Ben").id]]);
});

it("DG2: a delegation in a circle fails with the path, also when who began has long finished", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  of("Ben").agent.behave(async (call, res, req) => {
    await held;
    await saying("done")(call, res, req);
  });
  const handed = await api.call("POST", `/workspaces/${of("Ada").id}/delegate`, {
    body: { target_id: of("Ben").id, task: "first" },
    token: of("Ada").token,
  });
  expect(handed.status).toBe(202);
  // Nothing runs at Ada; Ben works on what came from there.
  await waitUntil("Ben has it", () => of("Ben").agent.calls.length === 1);
  await api.call("POST", `/workspaces/${of("Ben").id}/delegate`, {
    body: { target_id: of("Ada").id, task: "back" },
    token: of("Ben").token,
  });
  const list = await api.call("GET", `/workspaces/${of("Ben").id}/delegations`, {
    token: of("Ben").token,
  });
  expect(await list.json()).toMatchObject([
    { status: "failed", error: expect.stringContaining("Ada → Ben → Ada") },
  ]);
  release();
  expect(of("Ada").agent.calls).toHaveLength(0);
});

it("DG2: a question goes back to who gave the task", async () => {
  const answers = whileWorking("Ben", () =>
    api.call("POST", `/workspaces/${of("Ada").id}/a2a`, {
      body: message("which one?"),
      token: of("Ben").token,
    }),
  );
  expect((await ask("Ada", "Ben")).status).toBe(200);
  expect(answers[0]?.status).toBe(200);
});

it("DG1: a chain is what the platform saw; an agent that says another is not believed", async () => {
  whileWorking("Ben", () => {
    const body = message("x", crypto.randomUUID());
    const metadata = { delegation_id: "d", chain: [], hops: 0 };
    const params = { message: { ...body.params.message, metadata } };
    return api.call("POST", `/workspaces/${of("Cora").id}/a2a`, {
      body: { ...body, params },
      token: of("Ben").token,
    });
  });
  await ask("Ada", "Ben");
  expect(await chainsOf("Cora")).toEqual([[of("Ada").id, of("Ben").id]]);
  // A person begins anew.
  await api.call("POST", `/workspaces/${of("Cora").id}/a2a`, { body: message("hello") });
  expect((await chainsOf("Cora")).at(-1)).toEqual([]);
});
