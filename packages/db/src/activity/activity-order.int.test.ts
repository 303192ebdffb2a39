import { createTestDatabase } from "@molecule/testing/database";
import { waitUntil } from "@molecule/testing/wait-until";
import { expect, it } from "vitest";
import { leaveMessage } from "../queue/inbox-tasks.ts";
import { listActivity } from "./list-activity.ts";

const ID = "11111111-1111-4111-8111-111111111111";

it("a reader with a cursor does not pass over a message that is committed late", async () => {
  await using test = await createTestDatabase();
  const { db, sql } = test;
  await sql`INSERT INTO workspaces (id, name, backend, runtime, config) VALUES (${ID}, 'Far',
    'external', 'external', '{}')`;
  const leave = async (messageId: string, isHeldUntil: Promise<void> | null) =>
    db.transaction(async (tx) => {
      const about = { targetName: "Far", actorName: "Ada", method: "message/send" };
      const message = { ...about, targetId: ID, callerId: null, messageId, envelope: {} };
      const { row } = await leaveMessage(tx, message);
      await isHeldUntil;
      return row;
    });
  const first = await leave("first", null);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const late = leave("late", held);
  const locked = (mode: string, isGranted: boolean) => async () => {
    const found = await sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND mode = ${mode}
      AND granted = ${isGranted}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    return found.length > 0;
  };
  await waitUntil("the late one is numbered", locked("ShareLock", true));
  // Writers do not wait for each other; this one has the higher number and is committed first.
  const early = await leave("early", null);
  const reading = listActivity(db, { workspaceId: ID, sinceId: first.id, limit: 10 });
  await waitUntil("the reader waits", locked("ExclusiveLock", false));
  release();
  const rows = await reading;
  expect(rows.map((row) => row.messageId)).toEqual(["late", "early"]);
  expect((await late).seq).toBeLessThan(early.seq);
});
