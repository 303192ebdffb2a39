import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { readInboundSecret } from "@molecule/db/secrets/inbound-secret";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestApi, TEST_ADMIN_TOKEN, type TestApi } from "../api.fixture.ts";
import { appRouter } from "../root.ts";
import { createCaller } from "../trpc.ts";
import { PROCEDURE_ACCESS, ROUTE_ACCESS } from "./authorisation.fixture.ts";

/**
 * What is given to the platform as a secret is found in no answer, no event, no line of its log and no
 * column as text. Source: security C2 rows 10, 11, 13.
 */
const PER_WAY = 10;
/** Where many go in one request. */
const AT_ONCE = 60;
/** No secret: it is found wherever what is looked through has anything in it. */
const CONTROL = "not-a-secret-4711";
/** Answers that give a secret to whoever it is for, by design. */
const FOR_ITS_OWNER = [
  "GET /workspaces/:id/secrets/values",
  "GET /admin/workspaces/:id/test-token",
];

let api: TestApi;
let id: string;
let token: string;
const planted: string[] = [];
const logged: string[] = [];
const live: unknown[] = [];
const answers = new Map<string, string>();

/** A secret that is found wherever it turns up, whatever is cut from it. */
function canary(): string {
  const value = `sk-canary-${randomBytes(9).toString("hex")}`;
  planted.push(value);
  return value;
}

beforeAll(async () => {
  api = await createTestApi({ onLog: (entry) => logged.push(entry) });
  api.deps.live.subscribe((event) => live.push(event));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const trpc = () =>
  createCaller(appRouter)({ deps: api.deps, auth: { kind: "admin" }, requestId: "r" });
const many = (work: (n: number) => Promise<unknown>) =>
  Array.from({ length: PER_WAY }, (_, n) => n).reduce<Promise<unknown>>(
    (before, n) => before.then(() => work(n)),
    Promise.resolve(),
  );

/** Sends it, and keeps what came back. */
async function send(
  method: string,
  target: string,
  call: Parameters<TestApi["call"]>[2] = {},
): Promise<number> {
  const response = await api.call(method, target, call);
  const headers = JSON.stringify([...response.headers]);
  answers.set(`${method} ${target} ${answers.size}`, `${await response.text()} ${headers}`);
  return response.status;
}

async function keep(name: string, work: () => Promise<unknown>): Promise<void> {
  const answer = await work().then(
    (value) => JSON.stringify(value) ?? "",
    (error) => `${error} ${JSON.stringify(error)}`,
  );
  answers.set(`${name} ${answers.size}`, answer);
}

/** Every way a secret comes in. Each must work, or nothing would be proved. */
async function plant(): Promise<void> {
  const secrets = Object.fromEntries(
    Array.from({ length: AT_ONCE }, (_, n) => [`AT_${n}`, canary()]),
  );
  id = await api.createWorkspace({ name: "Canary", secrets });
  token = await api.tokenOf(id);
  const at = `/workspaces/${id}`;
  await many(async (n) => {
    expect(await send("PUT", `${at}/secrets`, { body: { key: `PUT_${n}`, value: canary() } })).toBe(
      200,
    );
    expect(
      await send("POST", `${at}/secrets`, { body: { key: `PUT_${n}`, value: canary() } }),
    ).toBe(200);
    const global = { key: `ORG_${n}`, value: canary() };
    expect(await send("PUT", "/settings/secrets", { body: global })).toBe(200);
    expect(await send("POST", "/admin/secrets", { body: { ...global, value: canary() } })).toBe(
      200,
    );
  });
  await keep("config.save", () =>
    trpc().config.save({
      workspaceId: id,
      secrets: Array.from({ length: AT_ONCE }, (_, n) => ({ key: `SAVED_${n}`, value: canary() })),
    }),
  );
  await many((n) =>
    keep("settings.putSecret", () =>
      trpc().settings.putSecret({ key: `TRPC_${n}`, value: canary() }),
    ),
  );
  await many((n) =>
    keep("settings.removeSecret", () => trpc().settings.removeSecret({ key: `TRPC_${n}` })),
  );
}

/** What an agent tells, with the secrets that it was given in the middle of it. */
async function tellThem(): Promise<void> {
  const at = `/workspaces/${id}`;
  const own = planted.slice(0, PER_WAY);
  await many(async (n) => {
    const text = `the key is ${own[n]} and ${CONTROL}`;
    const memory = { content: text, scope: "LOCAL" };
    expect(await send("POST", `${at}/memories`, { token, body: memory })).toBeLessThan(300);
    const value = { key: `note-${n}`, value: { deep: [text] } };
    expect(await send("POST", `${at}/memory`, { token, body: value })).toBeLessThan(300);
  });
  const approval = { action: `use ${own[0]}`, reason: `as ${own[1]}`, context: { key: own[2] } };
  expect(await send("POST", `${at}/approvals`, { token, body: approval })).toBeLessThan(300);
  await send("POST", `/admin/workspaces/${id}/bootstrap-failed`, {
    body: { error: `could not use ${own[3]}`, log_tail: `KEY=${own[4]}` },
  });
}

/** The text of a bundle, after somebody wrote secrets into files and instructions. SPEC: OR10. */
async function takeAlong(): Promise<string> {
  const at = `/workspaces/${id}`;
  const [one, two] = planted;
  expect(
    await send("PUT", `${at}/files/notes/key.md`, { body: { content: `${one} ${CONTROL}` } }),
  ).toBe(200);
  await keep("config.save", () =>
    trpc().config.save({ workspaceId: id, config: { instructions: `Use ${two}, ${CONTROL}` } }),
  );
  const response = await api.call("GET", `/org/export?root=${id}`);
  const bundle = gunzipSync(Buffer.from(await response.arrayBuffer())).toString("latin1");
  expect(bundle.match(new RegExp(CONTROL, "g"))).toHaveLength(2);
  expect(Number(response.headers.get("x-blanked-files"))).toBe(2);
  return bundle;
}

/** Secrets in the wrong place or the wrong form: refused, and not repeated. */
async function malform(): Promise<void> {
  const at = `/workspaces/${id}`;
  await many(async (n) => {
    const bad: unknown[] = [
      { key: `lower_${n}`, value: canary() },
      { key: canary(), value: "v" },
      { key: "K", value: { nested: canary() } },
      `{"key":"K","value":"${canary()}"`,
    ];
    for (const body of bad) expect(await send("PUT", `${at}/secrets`, { body })).toBe(400);
    await send("GET", "/workspaces", { token: canary() });
  });
}

/** Every route and procedure that only reads. */
async function readEverything(): Promise<void> {
  for (const [route, { access }] of Object.entries(ROUTE_ACCESS)) {
    const [method = "", path = ""] = route.split(" ");
    if (method !== "GET" || path.endsWith("/stream") || FOR_ITS_OWNER.includes(route)) continue;
    const target = path.replace(":id", id).replace(/:\w+|\*$/, "note-1");
    await send("GET", target);
    if (access === "own" || access === "hierarchy") await send("GET", target, { token });
  }
  const headers = await api.signIn();
  for (const [name, access] of Object.entries(PROCEDURE_ACCESS)) {
    if (access !== "read" || name === "session.signOut") continue;
    for (const input of [{ workspaceId: id }, { id }, undefined]) {
      const query =
        input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
      await send("GET", `/trpc/${name}${query}`, { token: null, headers });
    }
  }
  await keep("secretReach", () => trpc().settings.secretReach({ key: "ORG_1", isRemoval: true }));
}

/** Those of `values` that stand in `text`, as they are or as bytes. */
function foundIn(text: string, values: readonly string[]): string[] {
  return values.filter(
    (value) => text.includes(value) || text.includes(Buffer.from(value).toString("hex")),
  );
}

async function tablesWith(values: readonly string[]): Promise<string[]> {
  const tables = await api.test.sql`
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`;
  const found: string[] = [];
  for (const { table_name: table } of tables) {
    const rows = await api.test.sql`SELECT to_jsonb(t)::text AS row FROM ${api.test.sql(table)} t`;
    const text = rows.map(({ row }) => row).join("\n");
    for (const value of foundIn(text, values)) found.push(`${table}: ${value}`);
  }
  return found;
}

it("two hundred canaries and more are found in no answer, event, log line or column", async () => {
  await plant();
  await tellThem();
  await malform();
  const inbound = await readInboundSecret(api.test.db, api.deps.cipher, id);
  planted.push(token, TEST_ADMIN_TOKEN, inbound ?? "");
  const others = await Promise.all(Array.from({ length: 10 }, () => api.tokenOf(id)));
  planted.push(...others);
  const session = (await api.signIn()).cookie ?? "";
  planted.push(session.slice(session.indexOf("=") + 1));
  await readEverything();

  expect([...answers.values()].join()).toContain(CONTROL);
  expect(await tablesWith([CONTROL])).not.toEqual([]);
  expect(JSON.stringify(live) + logged.join("")).not.toBe("[]");
  expect(planted.length).toBeGreaterThanOrEqual(200);
  expect(new Set(planted).size).toBe(planted.length);
  expect(answers.size).toBeGreaterThan(200);
  const leaks = [...answers].flatMap(([name, text]) =>
    foundIn(text, planted).map((value) => `${name}: ${value}`),
  );
  expect(leaks).toEqual([]);
  expect(foundIn(JSON.stringify(live), planted)).toEqual([]);
  expect(foundIn(logged.join("\n"), planted)).toEqual([]);
  expect(await tablesWith(planted)).toEqual([]);
  expect(foundIn(await takeAlong(), planted)).toEqual([]);
}, 90_000);
