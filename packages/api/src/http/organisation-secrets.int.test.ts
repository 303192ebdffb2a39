import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { appRouter } from "../root.ts";
import { createCaller } from "../trpc.ts";

let api: TestApi;
let plain: string;
let own: string;
let coder: string;

beforeAll(async () => {
  api = await createTestApi();
  plain = await api.createWorkspace({ name: "Plain" });
  own = await api.createWorkspace({ name: "Own", secrets: { ANTHROPIC_API_KEY: "own" } });
  coder = await api.createWorkspace({ name: "Coder", template: "coder", runtime: undefined });
  const resting = await api.createWorkspace({ name: "Resting" });
  await api.call("POST", `/workspaces/${resting}/pause`);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const settings = () =>
  createCaller(appRouter)({ deps: api.deps, auth: { kind: "admin" }, requestId: "r" }).settings;
const columnOf = async (id: string, column: "desired_gen" | "force_seq") => {
  const [row] = await api.test.sql`
    SELECT ${api.test.sql(column)}::int AS value FROM workspaces WHERE id = ${id}`;
  return Number(row?.value);
};
const restart = (id: string) => api.call("POST", `/workspaces/${id}/restart`);

describe("secrets of the organisation", () => {
  it("R30 a restart of what lacks a key is refused with its name, and nothing begins", async () => {
    const clicks = await columnOf(coder, "force_seq");
    const response = await restart(coder);
    expect(response.status).toBe(412);
    expect(await response.json()).toMatchObject({ missing: ["ANTHROPIC_API_KEY"] });
    expect(await columnOf(coder, "force_seq")).toBe(clicks);
  });

  it("SE4 tell before a change whom it reaches, by its kind", async () => {
    const key = "ANTHROPIC_API_KEY";
    expect(await settings().secretReach({ key, isRemoval: false })).toEqual({
      key,
      restarts: { count: 2, names: ["Coder", "Plain"] },
      waits: { count: 1, names: ["Resting"] },
      overridden: { count: 1, names: ["Own"] },
      needs: { count: 1, names: ["Coder"] },
    });
    expect(await settings().secretReach({ key, isRemoval: true })).toMatchObject({
      restarts: { names: ["Plain"] },
      needs: { names: ["Coder"] },
    });
    expect((await settings().secretReach({ key: "PORT", isRemoval: false })).restarts.count).toBe(
      0,
    );
  });

  it("are listed with how far they reach and without their values, and lift what was lacking", async () => {
    await settings().putSecret({ key: "ANTHROPIC_API_KEY", value: "shared" });
    expect(await settings().secrets()).toEqual([
      {
        key: "ANTHROPIC_API_KEY",
        mustReenter: false,
        updatedAt: expect.any(String),
        usedBy: 3,
        overriddenBy: 1,
      },
    ]);
    expect((await restart(coder)).status).toBe(200);
  });

  it("SE2 an own value that is the organisation's restarts nobody, when it comes and when it goes", async () => {
    const before = await columnOf(plain, "desired_gen");
    const remove = () => api.call("DELETE", `/workspaces/${plain}/secrets/ANTHROPIC_API_KEY`);
    const put = (value: string) =>
      api.call("PUT", `/workspaces/${plain}/secrets`, {
        body: { key: "ANTHROPIC_API_KEY", value },
      });
    expect((await put("shared")).status).toBe(200);
    expect(await columnOf(plain, "desired_gen")).toBe(before);
    await settings().putSecret({ key: "ANTHROPIC_API_KEY", value: "another" });
    expect(await columnOf(plain, "desired_gen")).toBe(before);
    await put("third");
    expect(await columnOf(plain, "desired_gen")).toBe(before + 1);
    await put("another");
    expect(await columnOf(plain, "desired_gen")).toBe(before + 2);
    expect((await remove()).status).toBe(200);
    expect((await remove()).status).toBe(404);
    expect(await columnOf(plain, "desired_gen")).toBe(before + 2);
    expect(await columnOf(own, "desired_gen")).toBe(1);
  });
});
