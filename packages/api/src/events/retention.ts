import type { Database } from "@molecule/db/database";
import { EVENTS_KEPT_DAYS, EVENTS_KEPT_ROWS, trimEvents } from "@molecule/db/events/trim-events";
import type { Log } from "../deps.ts";

/** Something that runs until it is stopped. */
export interface Loop {
  /** Nothing of it runs any more when it resolves. */
  stop(): Promise<void>;
}

const FIRST_AFTER_MS = 60_000;
const EVERY_MS = 3_600_000;

/** Trims the event log a minute after the start and then every hour. A failed pass is logged. */
export function startRetention(db: Database, log: Log): Loop {
  const keep = { days: EVENTS_KEPT_DAYS, rows: EVENTS_KEPT_ROWS };
  let pass: Promise<void> = Promise.resolve();
  const run = () => {
    pass = trimEvents(db, keep).then(
      (gone) => {
        if (gone > 0) log.info({ gone }, "old events deleted");
      },
      (err: unknown) => log.warn({ err }, "the event log was not trimmed"),
    );
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
