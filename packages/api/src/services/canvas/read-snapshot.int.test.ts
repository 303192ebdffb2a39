import { askLeave, decideHold, listHolds } from "@molecule/db/sweep/holds";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../../api.fixture.ts";
import { readSnapshot } from "./read-snapshot.ts";

let t: TestApi;
beforeAll(async () => {
  t = await createTestApi();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

it("G8: the canvas opens knowing how many questions of sweeps wait for an answer", async () => {
  const { deps } = t;
  const openHolds = async () => (await readSnapshot(deps, { kind: "admin" })).platform.openHolds;
  expect(await openHolds()).toBe(0);
  const evidence = { kind: "removals" as const, listed: 8, removals: [] };
  await deps.db.transaction((tx) => askLeave(tx, "process", evidence));
  expect(await openHolds()).toBe(1);
  const id = (await listHolds(deps.db))[0]?.id ?? "";
  const answer = { id, to: "dismissed" as const, actor: PLATFORM_ACTOR };
  await deps.db.transaction((tx) => decideHold(tx, answer));
  expect(await openHolds()).toBe(0);
});
