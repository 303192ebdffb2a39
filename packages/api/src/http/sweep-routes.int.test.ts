import { randomUUID } from "node:crypto";
import { askLeave, listHolds } from "@molecule/db/sweep/holds";
import type { HoldEvidence } from "@molecule/domain/sweep-hold";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";

let t: TestApi;
let known: string;

beforeAll(async () => {
  t = await createTestApi();
  known = await t.createWorkspace({ name: "Ada" });
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

/** Asks as a sweep does, and answers the id of the question. */
async function ask(evidence: HoldEvidence): Promise<string> {
  await t.deps.db.transaction((tx) => askLeave(tx, "process", evidence));
  const hold = (await listHolds(t.deps.db)).find((one) => one.kind === evidence.kind);
  return hold?.id ?? "";
}

function removals(count: number): HoldEvidence {
  return {
    kind: "removals",
    listed: 8,
    removals: Array.from({ length: count }, (_, n) => ({
      providerId: `p${n}`,
      workspaceId: n === 0 ? known : randomUUID(),
      attemptNo: n + 1,
      rule: n === 0 ? "G2" : "G3",
    })),
  };
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

it("G8: the owner sees what would be removed, and confirms exactly that", async () => {
  const id = await ask(removals(7));
  const headers = await t.signIn("owner");
  const seen = await bodyOf(await t.call("GET", "/admin/sweep-holds", { token: null, headers }));
  expect(seen.holds).toMatchObject([
    { id, backend: "process", kind: "removals", state: "open", listed: 8, decided_by: null },
  ]);
  const [hold] = seen.holds as { removals: unknown[] }[];
  expect(hold?.removals).toHaveLength(7);
  expect(hold?.removals[0]).toMatchObject({ workspace_id: known, name: "Ada", rule: "G2" });
  expect(hold?.removals[1]).toMatchObject({ name: null, rule: "G3" });

  const confirmed = await t.call("POST", `/admin/sweep-holds/${id}/confirm`, {
    token: null,
    headers,
  });
  expect([confirmed.status, await bodyOf(confirmed)]).toEqual([200, { status: "confirmed" }]);
  expect((await listHolds(t.deps.db))[0]).toMatchObject({ state: "confirmed" });
});

it("G8: what was shown and has changed since cannot be confirmed", async () => {
  const old = await ask(removals(7));
  const now = await ask(removals(8));
  expect(now).not.toBe(old);
  expect((await t.call("POST", `/admin/sweep-holds/${old}/confirm`)).status).toBe(404);
  expect((await t.call("POST", `/admin/sweep-holds/${now}/dismiss`)).status).toBe(200);
  expect((await listHolds(t.deps.db))[0]).toMatchObject({ id: now, state: "dismissed" });
  expect((await t.call("POST", "/admin/sweep-holds/no-uuid/confirm")).status).toBe(400);
});

it("lets nobody but the owner and the operator decide", async () => {
  const id = await ask(removals(6));
  for (const role of ["editor", "viewer"] as const) {
    const headers = await t.signIn(role);
    const call = { token: null, headers };
    expect((await t.call("GET", "/admin/sweep-holds", call)).status).toBe(200);
    expect((await t.call("POST", `/admin/sweep-holds/${id}/confirm`, call)).status).toBe(403);
    const body = { id };
    expect((await t.call("POST", "/trpc/sweeps.confirm", { ...call, body })).status).toBe(403);
  }
  const agent = { token: await t.tokenOf(known) };
  expect((await t.call("GET", "/admin/sweep-holds", agent)).status).toBe(401);
  expect((await t.call("POST", `/admin/sweep-holds/${id}/confirm`, agent)).status).toBe(401);
  expect((await listHolds(t.deps.db))[0]).toMatchObject({ id, state: "open" });
});

it("G7: another machine that is confirmed is asked about no more, and the log says who confirmed it", async () => {
  await t.test.sql`INSERT INTO backend_identities (backend, identity) VALUES ('process', 'old')`;
  const id = await ask({ kind: "identity", remembered: "old", found: "new", expected: 3 });
  const headers = await t.signIn("owner");
  const query = await bodyOf(await t.call("GET", "/trpc/sweeps.holds", { token: null, headers }));
  const holds = (query.result as { data: { id: string; sentence: string }[] }).data;
  expect(holds.find((one) => one.id === id)?.sentence).toContain("3 agents");
  const call = { token: null, headers, body: { id } };
  expect((await t.call("POST", "/trpc/sweeps.confirm", call)).status).toBe(200);
  const [row] = await t.test.sql`
    SELECT identity FROM backend_identities WHERE backend = 'process'`;
  expect(row?.identity).toBe("new");
  expect((await listHolds(t.deps.db)).filter((one) => one.kind === "identity")).toEqual([]);
  const [told] = await t.test.sql`
    SELECT payload FROM events WHERE event = 'SWEEP_ACTED' ORDER BY id DESC LIMIT 1`;
  expect(told?.payload).toMatchObject({
    action: "hold_decided",
    evidence: { decision: "confirmed", kind: "identity" },
  });
});
