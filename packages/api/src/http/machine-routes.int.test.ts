import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readToldHostKey } from "@molecule/db/lifecycle/machine-facts";
import { loadNodes } from "@molecule/db/nodes/load-nodes";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import type { ReachSetting } from "@molecule/domain/machine-reach";
import { DEFAULT_SETTLE_SETTINGS } from "@molecule/domain/settle";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

/** The public half of an ed25519 key, as its file has it. */
const blob = (fill: number) =>
  Buffer.concat([
    Buffer.from([0, 0, 0, 11]),
    Buffer.from("ssh-ed25519"),
    Buffer.from([0, 0, 0, 32]),
    Buffer.alloc(32, fill),
  ]).toString("base64");
const KEY = `ssh-ed25519 ${blob(1)}`;
let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

let counter = 0;
/** An agent on a machine elsewhere, with the token of its attempt. */
async function onMachine(backend: "ec2" | "control-plane", address: string | null = null) {
  counter += 1;
  const id = await api.createWorkspace({ name: `Ada ${counter}` });
  const token = `wst_${String(counter).padStart(43, "m")}`;
  await api.test.sql`INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name,
    lease_epoch, snap_gen, snap_force, provider_addr) VALUES (${id}, 1, 'create',
    '{"sentence":"","merged":[],"absorbed":[]}', 'admin', 'test', 1, 1, 0, ${address})`;
  await api.test
    .sql`UPDATE workspaces SET backend = ${backend}, current_attempt = 1, phase = 'BOOTING',
    deadline_at = cp_now() + interval '1 minute' WHERE id = ${id}`;
  await api.test
    .sql`INSERT INTO workspace_tokens (workspace_id, attempt_no, kind, token_sha256, prefix)
    VALUES (${id}, 1, 'attempt', ${Buffer.from(tokenDigest(token))}, 'x')`;
  const providerId = `i-${counter}`;
  await api.test.sql`INSERT INTO machines (provider_id, workspace_id, backend, first_attempt,
    current_attempt, fence) VALUES (${providerId}, ${id}, ${backend}, 1, 1, 1)`;
  return { id, token, providerId };
}

const tell = (of: { id: string; token: string }, ssh_host_key: string) =>
  api.call("POST", "/registry/machine", {
    token: of.token,
    body: { workspace_id: of.id, ssh_host_key },
  });
const nodeOf = async (id: string) =>
  (await loadNodes(api.test.db, { ids: [id], settle: DEFAULT_SETTLE_SETTINGS }))[0];

it("MR5 keeps the first host key a machine tells, and never another one", async () => {
  const one = await onMachine("ec2");
  expect((await nodeOf(one.id))?.machine).toMatchObject({ hasHostKey: false, reach: null });
  expect((await tell(one, `${KEY} root@ip-10-0-0-5\n`)).status).toBe(200);
  expect((await tell(one, KEY)).status).toBe(200);
  expect((await tell(one, `ssh-ed25519 ${blob(2)}`)).status).toBe(409);
  expect((await nodeOf(one.id))?.machine).toMatchObject({ hasHostKey: true });
  const print = await readToldHostKey(api.test.db, one.providerId);
  expect(print?.type).toBe("ssh-ed25519");
  expect(print?.sha256).toMatch(/^[A-Za-z0-9+/]{43}$/);
  const events = await api.test.sql`SELECT payload FROM events
    WHERE subject_id = ${one.id} AND event = 'WORKSPACE_UPDATED'`;
  expect(events.map(({ payload }) => payload)).toEqual([{ changed: ["machine"] }]);
});

it("MR5 refuses what is no key, one of another kind inside, and a machine that nobody recorded", async () => {
  const one = await onMachine("ec2");
  const wrong = ["", "none", `ssh-dss ${blob(1)}`, `ssh-rsa ${blob(1)}`, `${KEY}\n${KEY}`];
  for (const text of wrong) expect([text, (await tell(one, text)).status]).toEqual([text, 400]);
  await api.test.sql`DELETE FROM machines WHERE workspace_id = ${one.id}`;
  const early = await tell(one, KEY);
  expect([early.status, early.headers.get("retry-after")]).toEqual([404, "2"]);
});

/** What answers at a machine's address. */
async function agentAt(health: () => object) {
  const server = createServer((_req, res) => res.end(JSON.stringify(health())));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, close: () => new Promise((resolve) => server.close(resolve)) };
}

async function reachOf(
  backend: "ec2" | "control-plane",
  setting: ReachSetting,
  agent: { address: string | null; says: (id: string) => object },
) {
  let health: object = {};
  const served = await agentAt(() => health);
  const one = await onMachine(backend, agent.address ?? served.address);
  health = agent.says(one.id);
  const platform = api.deps.platform as { reach: ReachSetting };
  platform.reach = setting;
  const response = await api.call("POST", "/registry/register", {
    token: one.token,
    body: { id: one.id, url: "http://198.51.100.1:1", agent_card: {} },
  });
  platform.reach = "auto";
  await served.close();
  expect(response.status).toBe(200);
  return (await nodeOf(one.id))?.machine?.reach;
}

it("MR1 speaks at the address its backend gave where exactly this agent answers, else by SSH", async () => {
  const itself = { address: null, says: (id: string) => ({ workspace_id: id, attempt: 1 }) };
  const another = { address: null, says: () => ({ workspace_id: "another", attempt: 1 }) };
  const older = { address: null, says: (id: string) => ({ workspace_id: id, attempt: 0 }) };
  const nobody = { address: "127.0.0.1:1", says: () => ({}) };
  expect(await reachOf("ec2", "auto", itself)).toBe("private");
  for (const wrong of [another, older, nobody]) {
    expect(await reachOf("ec2", "auto", wrong)).toBe("tunnel");
  }
  expect(await reachOf("control-plane", "auto", nobody)).toBe("private");
});

it("MR3 is forced by the setting", async () => {
  const itself = { address: null, says: (id: string) => ({ workspace_id: id, attempt: 1 }) };
  expect(await reachOf("ec2", "tunnel", itself)).toBe("tunnel");
  expect(await reachOf("ec2", "private", { ...itself, address: "127.0.0.1:1" })).toBe("private");
  expect(await reachOf("control-plane", "tunnel", itself)).toBeNull();
});
