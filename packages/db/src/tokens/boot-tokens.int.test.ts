import { createHash, randomUUID } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@molecule/testing/database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { attemptToken } from "./attempt-token.ts";
import { exchangeBootToken, isLiveBootToken, issueBootToken } from "./boot-token-rows.ts";

const TOKEN_KEY = new Uint8Array(32).fill(7);
const MINUTE_MS = 60_000;
let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

/** A workspace that has begun `attemptNo` attempts, the last with a boot token. */
async function booting(attemptNo = 1) {
  const workspaceId = randomUUID();
  await test.sql`
    INSERT INTO workspaces (id, name, runtime, backend, config, phase)
    VALUES (${workspaceId}, 'w', 'demo', 'control-plane', '{}', 'NEW')`;
  for (let no = 1; no <= attemptNo; no += 1) await begin(workspaceId, no);
  const createToken = randomUUID();
  await test.sql`
    UPDATE attempts SET create_token = ${createToken}
    WHERE workspace_id = ${workspaceId} AND no = ${attemptNo}`;
  const attempt = { workspaceId, attemptNo, createToken };
  const { token, sha256 } = await issueBootToken(test.db, TOKEN_KEY, attempt);
  return { attempt, workspaceId, token, tokenSha256: sha256 };
}

async function begin(workspaceId: string, no: number) {
  await test.sql`UPDATE workspaces SET current_attempt = ${no} WHERE id = ${workspaceId}`;
  await test.sql`
    UPDATE attempts SET outcome = 'superseded', ended_at = cp_now()
    WHERE workspace_id = ${workspaceId} AND outcome IS NULL`;
  await test.sql`
    INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name, lease_epoch)
    VALUES (${workspaceId}, ${no}, 'create', '{}', 'member', 'Ada', 1)`;
}

const nameOf = (name: string) => new Uint8Array(createHash("sha256").update(name).digest());
const exchange = (of: { workspaceId: string; tokenSha256: Uint8Array }, name: string | null) =>
  test.db.transaction((tx) =>
    exchangeBootToken(tx, TOKEN_KEY, {
      workspaceId: of.workspaceId,
      tokenSha256: of.tokenSha256,
      exchangeSha256: name === null ? null : nameOf(name),
    }),
  );
const told = async (workspaceId: string) =>
  (
    await test.sql`SELECT payload->>'why' AS why FROM events
      WHERE subject_id = ${workspaceId} AND event = 'BOOT_TOKEN_REFUSED' ORDER BY id`
  ).map((row) => row.why);

it("BT1 is exchanged for the token of its attempt, and the database knows neither in clear", async () => {
  const one = await booting(2);
  const expected = attemptToken(TOKEN_KEY, one.attempt);
  const done = await exchange(one, null);
  expect(done).toMatchObject({ kind: "accepted", attemptNo: 2 });
  expect(done.kind === "accepted" && done.token.token).toBe(expected.token);
  const rows = await test.sql`SELECT * FROM boot_tokens WHERE workspace_id = ${one.workspaceId}`;
  expect(JSON.stringify(rows)).not.toContain(one.token);
  expect(one.token).toMatch(/^wbt_[\w-]{43}$/);
});

it("BT2 has one winner of 8 that come at once, and tells of the others once", async () => {
  const one = await booting();
  const all = await Promise.all(Array.from({ length: 8 }, (_, n) => exchange(one, `machine ${n}`)));
  expect(all.filter(({ kind }) => kind === "accepted")).toHaveLength(1);
  expect(all.filter((each) => each.kind === "refused" && each.why === "used")).toHaveLength(7);
  expect(await told(one.workspaceId)).toEqual(["used"]);
  const [line] =
    await test.sql`SELECT summary FROM activity WHERE workspace_id = ${one.workspaceId}`;
  expect(line?.summary).toContain("presented a second time");
});

it("BT3 is answered again to the one whose answer was lost, and to nobody without a name", async () => {
  const one = await booting();
  const first = await exchange(one, "mine");
  expect(await exchange(one, "mine")).toEqual(first);
  expect(await exchange(one, null)).toMatchObject({ kind: "refused", why: "used" });
  const unnamed = await booting();
  await exchange(unnamed, null);
  expect(await exchange(unnamed, null)).toMatchObject({ kind: "refused", why: "used" });
});

it("BT4 is over with its attempt, and the next attempt has one of its own", async () => {
  const one = await booting();
  await begin(one.workspaceId, 2);
  expect(await exchange(one, "mine")).toMatchObject({ kind: "refused", why: "superseded" });
  expect(await isLiveBootToken(test.db, one.tokenSha256)).toBe(false);
  const next = { ...one.attempt, attemptNo: 2, createToken: randomUUID() };
  const issued = await issueBootToken(test.db, TOKEN_KEY, next);
  expect(issued.token).not.toBe(one.token);
  expect(await told(one.workspaceId)).toEqual([]);
});

it("BT5 is unknown under another workspace, and an unknown one changes nothing", async () => {
  const one = await booting();
  const other = await booting();
  const stolen = { workspaceId: other.workspaceId, tokenSha256: one.tokenSha256 };
  expect(await exchange(stolen, "mine")).toEqual({ kind: "unknown" });
  expect(await exchange({ ...one, tokenSha256: nameOf("guess") }, "x")).toEqual({
    kind: "unknown",
  });
  expect(await exchange(one, "mine")).toMatchObject({ kind: "accepted" });
});

it("BT1 is over 15 minutes after it was issued last, and tells that apart from a second use", async () => {
  const late = await booting();
  const repeated = await booting();
  const used = await booting();
  await exchange(used, "mine");
  try {
    await test.setSkewMs(14 * MINUTE_MS);
    // The creation is repeated: nothing is there yet that could have used the token.
    await issueBootToken(test.db, TOKEN_KEY, repeated.attempt);
    await issueBootToken(test.db, TOKEN_KEY, used.attempt);
    expect(await isLiveBootToken(test.db, late.tokenSha256)).toBe(true);
    await test.setSkewMs(16 * MINUTE_MS);
    expect(await exchange(late, "mine")).toMatchObject({ kind: "refused", why: "expired" });
    expect(await exchange(repeated, "mine")).toMatchObject({ kind: "accepted" });
    expect(await exchange(used, "mine")).toMatchObject({ kind: "refused", why: "expired" });
    expect(await isLiveBootToken(test.db, late.tokenSha256)).toBe(false);
    expect(await told(late.workspaceId)).toEqual(["expired"]);
    expect(await told(used.workspaceId)).toEqual([]);
  } finally {
    await test.setSkewMs(0);
  }
});
