import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { attemptToken } from "@molecule/db/tokens/attempt-token";
import { issueBootToken } from "@molecule/db/tokens/boot-token-rows";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestApi, TEST_TOKEN_KEY, type TestApi } from "../api.fixture.ts";
import { watchChanges } from "../watch-changes.fixture.ts";

const BUNDLE = Buffer.from(`// a runtime\n${"x".repeat(5_000)}\n`);
const SHA256 = createHash("sha256").update(BUNDLE).digest("hex");
let api: TestApi;
let folder: string;
const logged: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "molecule-boot-"));
  const runtimeBundle = path.join(folder, "runtime.mjs");
  await writeFile(runtimeBundle, BUNDLE);
  api = await createTestApi({ runtimeBundle, onLog: (entry) => logged.push(entry) });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A workspace whose attempt boots on a machine elsewhere. */
async function booting() {
  const secrets = { OWN_KEY: "sk-own-key-4711", MODEL_PROVIDER: "not-a-secret" };
  const id = await api.createWorkspace({ name: "Ada", secrets });
  await api.test.sql`UPDATE workspaces SET backend = 'control-plane' WHERE id = ${id}`;
  const createToken = await begin(id, 1);
  const attempt = { workspaceId: id, attemptNo: 1, createToken };
  const { token } = await issueBootToken(api.test.db, TEST_TOKEN_KEY, attempt);
  return { id, token, attempt };
}

async function begin(id: string, no: number): Promise<string> {
  const createToken = randomUUID();
  const derived = attemptToken(TEST_TOKEN_KEY, { workspaceId: id, attemptNo: no, createToken });
  await api.test.sql`UPDATE attempts SET outcome = 'superseded', ended_at = cp_now()
    WHERE workspace_id = ${id} AND outcome IS NULL`;
  await api.test.sql`INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name,
    lease_epoch, snap_gen, snap_force, create_token) VALUES (${id}, ${no}, 'create',
    '{"sentence":"","merged":[],"absorbed":[]}', 'admin', 'test', 1, 1, 0, ${createToken})`;
  await api.test.sql`UPDATE workspaces SET current_attempt = ${no}, phase = 'BOOTING',
    deadline_at = cp_now() + interval '1 minute' WHERE id = ${id}`;
  await api.test
    .sql`INSERT INTO workspace_tokens (workspace_id, attempt_no, kind, token_sha256, prefix)
    VALUES (${id}, ${no}, 'attempt', ${Buffer.from(derived.sha256)}, 'x')`;
  return createToken;
}

const register = (id: string, token: string, body: object = {}) =>
  api.call("POST", "/registry/register", {
    token,
    body: { id, url: "", agent_card: { name: "Ada" }, ...body },
  });
const bodyOf = async (response: Response) => (await response.json()) as Record<string, unknown>;

it("BT1 register exchanges a boot token, and what it gives is the agent from then on", async () => {
  const { id, token, attempt } = await booting();
  const answer = await register(id, token);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const body = await bodyOf(answer);
  expect(body).toMatchObject({ status: "registered", delivery_mode: "push" });
  expect(body.auth_token).toBe(attemptToken(TEST_TOKEN_KEY, attempt).token);
  expect(body.platform_inbound_secret).toEqual(expect.any(String));
  const own = String(body.auth_token);
  expect((await register(id, own)).status).toBe(200);
  const beat = await api.call("POST", "/registry/heartbeat", {
    token: own,
    body: { workspace_id: id },
  });
  expect(beat.status).toBe(200);
  const [row] = await api.test.sql`SELECT phase FROM workspaces WHERE id = ${id}`;
  expect(row?.phase).toBe("READY");
});

it("BT2 a second use is refused, told as an event with a sentence, and changes nothing else", async () => {
  const { id, token } = await booting();
  await register(id, token);
  const again = await register(id, token);
  expect(again.status).toBe(401);
  expect(await bodyOf(again)).toMatchObject({
    boot_token: "used",
    error: "This boot token has been used already.",
  });
  await register(id, token, { agent_card: { name: "Thief" } });
  const events = await api.test.sql`SELECT payload FROM events
    WHERE subject_id = ${id} AND event = 'BOOT_TOKEN_REFUSED'`;
  expect(events.map(({ payload }) => payload)).toEqual([
    { attempt: 1, why: "used", summary: expect.stringContaining("a second time") },
  ]);
  const [row] = await api.test
    .sql`SELECT agent_card->>'name' AS name FROM workspaces WHERE id = ${id}`;
  expect(row?.name).toBe("Ada");
});

it("BT3 the machine whose answer was lost is answered the same again", async () => {
  const { id, token } = await booting();
  const mine = { exchange_id: "known-to-this-machine-alone" };
  const first = await bodyOf(await register(id, token, mine));
  const second = await bodyOf(await register(id, token, mine));
  expect(second.auth_token).toBe(first.auth_token);
  expect((await register(id, token, { exchange_id: "another-machine-has-it" })).status).toBe(401);
});

it("BT4 the boot token of an older attempt is told to stop, and of a removed workspace that it is gone", async () => {
  const { id, token } = await booting();
  await begin(id, 2);
  const late = await register(id, token);
  expect(late.status).toBe(409);
  expect(await bodyOf(late)).toMatchObject({ superseded: true });
  await api.call("DELETE", `/workspaces/${id}`);
  expect((await register(id, token)).status).toBe(410);
});

it("BT5 a boot token opens nothing else, not even for its own workspace", async () => {
  const { id, token } = await booting();
  const other = await api.createWorkspace({ name: "Other" });
  const changes = await watchChanges(api.test);
  const tried = await Promise.all([
    api.call("POST", "/registry/heartbeat", { token, body: { workspace_id: id } }),
    api.call("POST", "/registry/update-card", {
      token,
      body: { workspace_id: id, agent_card: {} },
    }),
    api.call("GET", `/workspaces/${id}/boot`, { token }),
    api.call("GET", `/workspaces/${id}/secrets/values`, { token }),
    api.call("GET", "/workspaces", { token }),
    api.call("GET", "/events/stream", { token }),
    api.call("POST", `/workspaces/${id}/a2a`, {
      token,
      body: { method: "message/send", params: {} },
    }),
  ]);
  expect(tried.map(({ status }) => status)).toEqual(tried.map(() => 401));
  expect((await register(other, token)).status).toBe(401);
  expect((await register(id, `${token}x`)).status).toBe(401);
  expect((await register(id, "wbt_")).status).toBe(401);
  expect(await changes.latest(5)).toEqual([]);
  expect((await register(id, token)).status).toBe(200);
});

it("gives the booting attempt its files and secrets, and nobody else", async () => {
  const { id, token } = await booting();
  const own = String((await bodyOf(await register(id, token))).auth_token);
  const answer = await api.call("GET", `/workspaces/${id}/boot`, { token: own });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const body = (await answer.json()) as {
    attempt: number;
    env: Record<string, string>;
    files: { path: string; content: string }[];
  };
  expect(body.attempt).toBe(1);
  // Names that the platform decides reach no agent from a secret.
  expect(body.env).toEqual({ OWN_KEY: "sk-own-key-4711" });
  const names = body.files.map((file) => file.path);
  expect(names).toContain("config.yaml");
  expect(names.filter((name) => name.startsWith("."))).toEqual([]);
  const config = body.files.find((file) => file.path === "config.yaml")?.content ?? "";
  expect(Buffer.from(config, "base64").toString()).toContain("Ada");
  const minted = await api.tokenOf(id);
  expect((await api.call("GET", `/workspaces/${id}/boot`, { token: minted })).status).toBe(404);
  expect((await api.call("GET", `/workspaces/${id}/boot`)).status).toBe(401);
  await begin(id, 2);
  expect((await api.call("GET", `/workspaces/${id}/boot`, { token: own })).status).toBe(409);
});

it("hands out the runtime by its hash, whole, in part and not at all when it is known", async () => {
  const { id, token } = await booting();
  const get = (headers: Record<string, string> = {}, bearer: string | null = token) =>
    api.call("GET", `/runtime/${SHA256}`, { token: bearer, headers });
  const whole = await get();
  expect(whole.status).toBe(200);
  expect(whole.headers.get("etag")).toBe(`"${SHA256}"`);
  expect(Buffer.from(await whole.arrayBuffer()).equals(BUNDLE)).toBe(true);
  const part = await get({ range: "bytes=10-19", "if-range": `"${SHA256}"` });
  expect([part.status, part.headers.get("content-range")]).toEqual([
    206,
    `bytes 10-19/${BUNDLE.length}`,
  ]);
  expect(await part.text()).toBe(BUNDLE.subarray(10, 20).toString());
  expect((await get({ range: "bytes=10-19", "if-range": '"another"' })).status).toBe(200);
  expect((await get({ "if-none-match": `"${SHA256}"` })).status).toBe(304);
  expect((await get({ range: "bytes=999999-" })).status).toBe(416);
  expect((await api.call("GET", `/runtime/${"0".repeat(64)}`, { token })).status).toBe(404);
  expect((await api.call("GET", "/runtime/..%2F..%2Fetc%2Fpasswd", { token })).status).toBe(404);
  expect((await get({}, null)).status).toBe(401);
  expect((await get({}, "wbt_nobody-has-this")).status).toBe(401);
  // Fetching it is no use of the token, and a used one may fetch it again until its time is over.
  const own = String((await bodyOf(await register(id, token))).auth_token);
  expect((await get()).status).toBe(200);
  expect((await get({}, own)).status).toBe(200);
  await begin(id, 2);
  expect((await get()).status).toBe(401);
});

it("has no token of a machine in its log or its columns", async () => {
  const { id, token } = await booting();
  const own = String((await bodyOf(await register(id, token))).auth_token);
  await register(id, token);
  await api.call("GET", `/runtime/${SHA256}`, { token });
  const events = await api.test.sql`SELECT payload::text FROM events WHERE subject_id = ${id}`;
  const rows = await api.test.sql`SELECT t::text FROM boot_tokens t`;
  const all = JSON.stringify([logged, events, rows]);
  expect(all).toContain("a second time");
  for (const secret of [token, own]) expect(all).not.toContain(secret);
});
