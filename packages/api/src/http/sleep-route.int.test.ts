import { expect, it } from "vitest";
import { createTestApi } from "../api.fixture.ts";

it("P8: the minutes are set and taken away over HTTP, restart nothing, and are due to be looked at", async () => {
  await using t = await createTestApi();
  const id = await t.createWorkspace();
  await t.test.sql`
    UPDATE workspaces SET phase = 'READY', current_attempt = 1, applied_gen = 1, ready_at = cp_now(),
      next_action_at = NULL WHERE id = ${id}`;
  const patch = (hibernation_idle_minutes: unknown, token?: string) =>
    t.call("PATCH", `/workspaces/${id}`, {
      body: { hibernation_idle_minutes },
      ...(token === undefined ? {} : { token }),
    });
  const shown = async () =>
    ((await (await t.call("GET", `/workspaces/${id}`)).json()) as Record<string, unknown>)
      .hibernation_idle_minutes;
  expect(await shown()).toBeNull();
  const answer = await patch(30);
  expect(await answer.json()).toEqual({ status: "updated" });
  expect(await shown()).toBe(30);
  const [row] = await t.test.sql`
    SELECT desired_gen, next_action_at <= cp_now() AS is_due FROM workspaces WHERE id = ${id}`;
  expect(row).toEqual({ desired_gen: "1", is_due: true });
  for (const wrong of [0, -1, 1.5, "30", 525_601]) {
    expect((await patch(wrong)).status).toBe(400);
  }
  expect(await shown()).toBe(30);
  expect((await patch(null)).status).toBe(200);
  expect(await shown()).toBeNull();
});

it("P8: an agent outside the platform is not put to sleep by it", async () => {
  await using t = await createTestApi();
  const id = await t.createWorkspace({ name: "Ext", runtime: "external" });
  const answer = await t.call("PATCH", `/workspaces/${id}`, {
    body: { hibernation_idle_minutes: 30 },
  });
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toContain("outside the platform");
});
