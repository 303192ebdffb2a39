import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { allRoutes } from "./all-routes.ts";
import type { StreamParts } from "./event-routes.ts";
import { MAX_JSON_BYTES } from "./read-body.ts";
import type { Route } from "./router.ts";

/** The stream never answers with an end, so it has tests of its own. */
const routes = allRoutes({} as StreamParts).filter((one) => one.path !== "/events/stream");
const writes = routes.filter((one) => one.method !== "GET");
const takesJson = writes.filter((one) => one.takes !== "stream" && one.method !== "DELETE");
const named = (list: readonly Route[]) =>
  list.map((one) => [`${one.method} ${one.path}`, one] as const);
const ofWorkspace = routes.filter((one) => one.path.includes(":id"));

let t: TestApi;
let own: string;
let other: string;
let removed: string;
let ownToken: string;
let otherToken: string;
let oldToken: string;

beforeAll(async () => {
  t = await createTestApi();
  own = await t.createWorkspace({ name: "Own" });
  const parent = await t.createWorkspace({ name: "Team" });
  other = await t.createWorkspace({ name: "Other", parent_id: parent });
  removed = await t.createWorkspace({ name: "Gone" });
  ownToken = await t.tokenOf(own);
  otherToken = await t.tokenOf(other);
  oldToken = await attemptToken(own);
  await t.call("DELETE", `/workspaces/${removed}`);
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

/** A token of attempt 1 of a workspace that is at attempt 2. */
async function attemptToken(id: string): Promise<string> {
  const token = await t.tokenOf(id);
  await t.test.sql`UPDATE workspaces SET current_attempt = 1 WHERE id = ${id}`;
  await t.test.sql`UPDATE workspaces SET current_attempt = 2 WHERE id = ${id}`;
  await t.test.sql`
    UPDATE workspace_tokens SET kind = 'attempt', attempt_no = 1
    WHERE id = (SELECT id FROM workspace_tokens WHERE workspace_id = ${id} ORDER BY created_at DESC LIMIT 1)`;
  return token;
}

function target(one: Route, id: string): string {
  return one.path
    .replace(":id", id)
    .replace(":tokenId", randomUUID())
    .replace(":delegationId", randomUUID())
    .replace(":key", "SOME_KEY")
    .replace("*", "notes.md");
}

/** The id where a registry route looks for it, so that the guard is what refuses. */
function bodyFor(one: Route, id: string): Record<string, unknown> | undefined {
  if (one.method === "GET" || one.method === "DELETE") return undefined;
  return one.guard.kind === "registry" ? { [one.guard.idField]: id, agent_card: {} } : {};
}

/** Everything stored, without when a credential was last used. */
async function fingerprint(): Promise<string> {
  const tables = await t.test.sql`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`;
  const parts: string[] = [];
  for (const { name } of tables) {
    const [row] = await t.test.sql.unsafe(
      `SELECT md5(COALESCE(string_agg((to_jsonb(t) - 'last_used_at' - 'last_seen_at')::text, '' ORDER BY t::text), '')) AS md5 FROM "${name}" t`,
    );
    parts.push(`${name}:${row?.md5}`);
  }
  return parts.join("\n");
}

async function errorOf(response: Response): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  expect(typeof body.error).toBe("string");
  return body;
}

describe("every route", () => {
  it.each(named(routes))("%s refuses who has no token", async (_, one) => {
    const before = await fingerprint();
    const response = await t.call(one.method, target(one, own), {
      token: null,
      body: bodyFor(one, own),
    });
    if (one.guard.kind === "open") {
      expect(response.status).toBeLessThan(500);
    } else {
      expect(response.status).toBe(401);
      await errorOf(response);
    }
    expect(await fingerprint()).toBe(before);
  });

  it.each(named(routes.filter((one) => one.guard.kind !== "open")))(
    "%s refuses a token that nobody issued",
    async (_, one) => {
      const token = `wst_${"x".repeat(43)}`;
      const call = { token, body: bodyFor(one, own) };
      expect((await t.call(one.method, target(one, own), call)).status).toBe(401);
    },
  );

  it.each(
    named(routes.filter((one) => ["admin", "workspace", "registry"].includes(one.guard.kind))),
  )("%s refuses the token of another workspace", async (_, one) => {
    const before = await fingerprint();
    const response = await t.call(one.method, target(one, own), {
      token: otherToken,
      body: bodyFor(one, own),
    });
    expect(response.status).toBe(401);
    expect(await fingerprint()).toBe(before);
  });

  it.each(named(routes.filter((one) => ["workspace", "registry"].includes(one.guard.kind))))(
    "%s tells an agent of an earlier attempt that it is superseded",
    async (_, one) => {
      const before = await fingerprint();
      const response = await t.call(one.method, target(one, own), {
        token: oldToken,
        body: bodyFor(one, own),
      });
      expect(response.status).toBe(409);
      expect(await errorOf(response)).toMatchObject({ superseded: true });
      expect(await fingerprint()).toBe(before);
    },
  );

  it.each(named(ofWorkspace))("%s refuses an id that is no UUID", async (_, one) => {
    for (const id of ["x", "1234", "%00", "..%2f..", `${own}x`, "%F0%9F%98%80"]) {
      const response = await t.call(one.method, target(one, id), { body: bodyFor(one, id) });
      expect([id, response.status]).toEqual([id, 400]);
      await errorOf(response);
    }
  });

  it.each(named(ofWorkspace))(
    "%s answers an unknown id without an error of its own",
    async (_, one) => {
      const id = randomUUID();
      const response = await t.call(one.method, target(one, id), { body: bodyFor(one, id) });
      expect(response.status).toBeLessThan(500);
      if (one.method !== "GET") expect(response.status).toBeGreaterThanOrEqual(400);
    },
  );

  it.each(named(routes.filter((one) => one.path.includes(":id") || one.guard.kind === "registry")))(
    "%s says of a removed workspace that it is gone, before it asks for a token",
    async (_, one) => {
      if ("removedIs" in one.guard && one.guard.removedIs === "handled") {
        if (one.path === "/workspaces/:id") {
          const response = await t.call("GET", `/workspaces/${removed}`, { token: null });
          expect(response.status).toBe(410);
        }
        return;
      }
      for (const token of [null, ownToken, undefined]) {
        const response = await t.call(one.method, target(one, removed), {
          ...(token === undefined ? {} : { token }),
          body: bodyFor(one, removed),
        });
        expect(response.status).toBe(410);
        const body = await errorOf(response);
        expect(body).toMatchObject({ id: removed, hint: expect.any(String) });
        expect(body.removed_at).toEqual(expect.any(String));
      }
    },
  );

  it.each(named(takesJson))("%s refuses a body that is no JSON object", async (_, one) => {
    const before = await fingerprint();
    const token = one.guard.kind === "registry" ? ownToken : undefined;
    const auth = token === undefined ? {} : { token };
    for (const body of ["{", "nope", '{"a":1}}', "\u0000", "[]", "5", '"text"', '{"a":\ud800}']) {
      const response = await t.call(one.method, target(one, own), { ...auth, body });
      expect([body, response.status]).toEqual([body, 400]);
      await errorOf(response);
    }
    const deep = `{"a":${"[".repeat(40)}${"]".repeat(40)}}`;
    expect((await t.call(one.method, target(one, own), { ...auth, body: deep })).status).toBe(400);
    expect(await fingerprint()).toBe(before);
  });

  it.each(named(takesJson))("%s refuses a body that is too large, unread", async (_, one) => {
    const before = await fingerprint();
    const token = one.guard.kind === "registry" ? { token: ownToken } : {};
    const body = JSON.stringify({ content: "x".repeat(3 * MAX_JSON_BYTES) });
    const response = await t.call(one.method, target(one, own), { ...token, body });
    expect(response.status).toBe(413);
    await errorOf(response);
    expect(await fingerprint()).toBe(before);
  });

  it.each(named(takesJson))("%s has no field that a wrong value breaks", async (_, one) => {
    const token = one.guard.kind === "registry" ? { token: ownToken } : {};
    for (const body of wrongBodies(one)) {
      const response = await t.call(one.method, target(one, other), { ...token, body });
      expect([JSON.stringify(body).slice(0, 200), response.status]).not.toContain(500);
    }
  });

  it("has left nothing for the log to explain", () => {
    expect(t.warnings.filter((line) => line.includes("failed"))).toEqual([]);
  });
});

const FIELDS = [
  "name role tier model runtime external url workspace_dir parent_id budget_limit secrets canvas",
  "max_concurrent_tasks template collapsed x y zoom id workspace_id agent_card delivery_mode",
  "error_rate sample_error active_tasks uptime_seconds current_task monthly_spend runtime_state",
  "message attachments activity_type method summary status source_id target_id duration_ms",
  "request_body response_body metadata content files key value provider caller_id task params",
  "jsonrpc delegation_id idempotency_key secrets instructions description",
]
  .join(" ")
  .split(" ");
const VALUES = [
  null,
  -1,
  1e308,
  true,
  [],
  [null],
  {},
  { "": { __proto__: 1 } },
  "\u0000",
  "\ud800",
  "x".repeat(5000),
  "'; DROP TABLE workspaces; --",
];

/** Every field of any route with every value at once, and a few at a time among valid ones. */
function wrongBodies(one: Route): Record<string, unknown>[] {
  const id = one.guard.kind === "registry" ? { [one.guard.idField]: own } : {};
  const valid = {
    name: "A name",
    message: "hello",
    activity_type: "agent_log",
    content: "text",
    files: {},
    key: "SOME_KEY",
    value: "v",
    model: "m",
    provider: "p",
    agent_card: {},
    x: 1,
    y: 1,
    zoom: 1,
    method: "message/send",
  };
  const all = VALUES.map((value) => ({
    ...Object.fromEntries(FIELDS.map((field) => [field, value])),
    ...id,
  }));
  const single = FIELDS.flatMap((field) =>
    ["\u0000", {}].map((value) => ({ ...valid, [field]: value, ...id })),
  );
  return [...all, ...single];
}
