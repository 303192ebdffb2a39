import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "./api.fixture.ts";
import { appRouter } from "./root.ts";

interface Named {
  readonly path: string;
  readonly isMutation: boolean;
}

const known: Record<string, unknown> = { ...appRouter._def.procedures };
const procedures: Named[] = Object.entries(known).map(([path, one]) => ({
  path,
  isMutation: (one as { _def: { type: string } })._def.type === "mutation",
}));
const cases = procedures.map((one) => [one.path, one] as const);

let t: TestApi;
let id: string;
let removed: string;

beforeAll(async () => {
  t = await createTestApi();
  id = await t.createWorkspace();
  removed = await t.createWorkspace({ name: "Gone" });
  await t.call("DELETE", `/workspaces/${removed}`);
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

function ask(one: Named, input: unknown, who: Parameters<TestApi["call"]>[2] = {}) {
  if (one.isMutation) {
    return t.call("POST", `/trpc/${one.path}`, { ...who, body: JSON.stringify(input) });
  }
  const query = input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
  return t.call("GET", `/trpc/${one.path}${query}`, who);
}

/** An input of the right form for whichever procedure: each takes what it knows of it. */
function inputsOf(workspaceId: string): Record<string, unknown>[] {
  const byKey = { workspaceId };
  return [
    { id: workspaceId },
    byKey,
    { id: workspaceId, name: "N" },
    { id: workspaceId, parentId: null, x: 1, y: 1 },
    { id: workspaceId, clickId: "click-0001" },
    { id: workspaceId, confirmedCount: 1 },
    { cards: [{ id: workspaceId, x: 1, y: 1 }] },
    { ...byKey, root: "/configs", path: "notes.md" },
    { ...byKey, root: "/configs", path: "notes.md", content: "x", baseSha256: null },
    { ...byKey, id: randomUUID() },
    { ...byKey, config: { model: "m" } },
    { activityId: randomUUID() },
  ];
}

describe("every procedure", () => {
  it.each(cases)("%s refuses strangers and agents", async (_, one) => {
    const agent = await t.tokenOf(id);
    for (const token of [null, "wrong", agent]) {
      for (const input of [{}, { id }, { workspaceId: id }]) {
        expect((await ask(one, input, { token })).status).toBe(401);
      }
    }
  });

  it.each(cases.filter(([, one]) => one.isMutation && one.path !== "session.signOut"))(
    "%s changes nothing for a viewer",
    async (_, one) => {
      const headers = await t.signIn("viewer");
      for (const input of [{}, ...inputsOf(id)]) {
        expect((await ask(one, input, { token: null, headers })).status).toBe(403);
      }
    },
  );

  it.each(cases)(
    "%s answers wrong input with a sentence, never with an error of ours",
    async (_, one) => {
      const wrong: unknown[] = [
        null,
        [],
        5,
        "text",
        { __proto__: null },
        { id: 5, workspaceId: [], clickId: {}, cards: 1, x: "a" },
        { id: "x", workspaceId: "../etc" },
        { id: "\u0000", workspaceId: "\u0000", name: "\u0000", path: "\u0000", key: "\u0000" },
        ...inputsOf(randomUUID()),
        ...inputsOf(removed),
      ];
      for (const input of wrong) {
        const response = await ask(one, input);
        expect([JSON.stringify(input), response.status]).not.toContain(500);
        if (response.status >= 400) {
          const { error } = (await response.json()) as { error: { data: { problem: object } } };
          expect(error.data.problem).toMatchObject({
            code: expect.any(String),
            error: expect.any(String),
          });
        }
      }
    },
  );

  it("is in a router of its noun, and no query changes anything", async () => {
    const before = await t.test.sql`SELECT count(*)::int AS n FROM events`;
    for (const one of procedures.filter((one) => !one.isMutation)) {
      for (const input of inputsOf(id)) await ask(one, input);
    }
    expect(await t.test.sql`SELECT count(*)::int AS n FROM events`).toEqual(before);
  });

  it("has left nothing for the log to explain", () => {
    expect(t.warnings.filter((line) => line.includes("failed"))).toEqual([]);
  });
});
