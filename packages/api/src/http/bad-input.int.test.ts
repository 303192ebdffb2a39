import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAt, startTestAgent, type TestAgent } from "../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { agentRoutes } from "./agent-routes.ts";
import { RateLimiter } from "./rate-limit.ts";

let api: TestApi;
let agent: TestAgent;
let id: string;

beforeAll(async () => {
  api = await createTestApi();
  agent = await startTestAgent();
  id = await api.createWorkspace({ name: "Ada" });
  await runAt(api, id, agent.address);
});
afterAll(async () => {
  await agent.close();
  await api[Symbol.asyncDispose]();
});

const deep = "[".repeat(5000) + "]".repeat(5000);
const BODIES: readonly (string | undefined)[] = [
  undefined,
  "",
  "{",
  "null",
  "[]",
  "5",
  '"text"',
  "{}",
  '{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}',
  deep,
  "\ud800",
  JSON.stringify({ id: 5, workspace_id: [], agent_card: "x", content: 5, files: [], model: 5 }),
  JSON.stringify({
    id: "\u0000",
    key: "\u0000",
    value: "\u0000",
    message: "\u0000",
    model: "\u0000",
  }),
  JSON.stringify({ key: "K", value: { a: 1 }, provider: null, files: { "../x": "y", "": "z" } }),
  JSON.stringify({ target_id: "x", caller_id: "y", task: [], delegation_id: {}, status: 7 }),
  JSON.stringify({
    method: "message/send",
    params: { message: { messageId: "\u0000", parts: 5 } },
  }),
  JSON.stringify({
    activity_type: "error",
    summary: "\u0000",
    duration_ms: 1e300,
    request_body: deep,
  }),
  JSON.stringify({
    files: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`f${i}`, "x"])),
  }),
  "x".repeat(1_048_577),
];
const PARAMS = [
  "nonsense",
  "\u0000",
  "%",
  "11111111-1111-4111-8111-111111111111",
  "a".repeat(3000),
  "é",
];
const QUERY =
  "?root=/configs&path=%00&depth=1e3&limit=99999999999999999999&offset=-1&q=%25&since_secs=9".concat(
    "99999999999999999999&type=%00&source=&before_ts=0000",
  );

function targetsOf(path: string): string[] {
  const named = path.replace(":id", id);
  const fill = (text: string, value: string) =>
    text.replace(/:\w+|\*$/, () => encodeURIComponent(value));
  const known = /:\w+|\*$/.test(named) ? PARAMS.map((value) => fill(named, value)) : [named];
  const unknown = PARAMS.map((value) =>
    path.replace(":id", encodeURIComponent(value)).replace(/:\w+|\*$/, "x"),
  );
  return [...known, ...(path.includes(":id") ? unknown : []), `${known[0]}${QUERY}`];
}

const routes = agentRoutes(new RateLimiter(0)).map(
  (route) => [`${route.method} ${route.path}`, route] as const,
);

describe("bad input", () => {
  it.each(routes)("%s answers it with a sentence and never with a 500", async (_name, route) => {
    const methods = route.method === "GET" ? [undefined] : BODIES;
    for (const target of targetsOf(route.path)) {
      for (const body of methods) {
        const response = await api.call(route.method, target, {
          ...(body === undefined ? {} : { body }),
        });
        const text = await response.text();
        const about = `${route.method} ${target} ${String(body).slice(0, 60)} → ${text.slice(0, 300)}`;
        expect([500, 504].includes(response.status), about).toBe(false);
        if (response.status < 400) continue;
        expect(JSON.parse(text), about).toMatchObject({ error: expect.any(String) });
      }
    }
    expect(api.warnings).toEqual([]);
  });
});
