import {
  ACTIVITY_KEPT_DAYS,
  CHAT_KEPT_DAYS,
  trimActivity,
} from "@molecule/db/activity/trim-activity";
import { expireApprovals, trimApprovals } from "@molecule/db/approvals/approval-rows";
import type { Database } from "@molecule/db/database";
import { EVENTS_KEPT_DAYS, EVENTS_KEPT_ROWS, trimEvents } from "@molecule/db/events/trim-events";
import { trimKeptFiles } from "@molecule/db/files/kept-files";
import { trimMemoryKeys } from "@molecule/db/memory/memory-keys";
import { trimPackages } from "@molecule/db/plugins/plugin-packages";
import type { Pulse } from "@molecule/db/processes/pulse";
import type { Log } from "../deps.ts";

/** Something that runs until it is stopped. */
export interface Loop {
  /** Nothing of it runs any more when it resolves. */
  stop(): Promise<void>;
}

const FIRST_AFTER_MS = 60_000;
const EVERY_MS = 3_600_000;

/**
 * Trims the event log, the activity and what agents kept for a time, a minute after the start and then
 * every hour. A failed pass is logged.
 */
export function startRetention(db: Database, log: Log, pulse: Pulse): Loop {
  let pass: Promise<void> = Promise.resolve();
  const run = () => {
    pass = trim(db, log)
      .then(() => pulse.tick("retention", EVERY_MS))
      .catch((err: unknown) => log.warn({ err }, "old rows were not deleted"));
  };
  const first = setTimeout(run, FIRST_AFTER_MS);
  const timer = setInterval(run, EVERY_MS);
  return {
    stop: async () => {
      clearTimeout(first);
      clearInterval(timer);
      await pass;
    },
  };
}

async function trim(db: Database, log: Log): Promise<void> {
  const events = await trimEvents(db, { days: EVENTS_KEPT_DAYS, rows: EVENTS_KEPT_ROWS });
  const activity = await trimActivity(db, { days: ACTIVITY_KEPT_DAYS, chatDays: CHAT_KEPT_DAYS });
  const files = await trimKeptFiles(db);
  const plugins = await trimPackages(db);
  const values = await trimMemoryKeys(db);
  await expireApprovals(db);
  await trimApprovals(db);
  if (events + activity + files + plugins + values > 0) {
    log.info({ events, activity, files, plugins, values }, "old rows deleted");
  }
}
