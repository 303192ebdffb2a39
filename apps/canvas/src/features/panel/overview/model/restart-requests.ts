import type { RestartRequestView } from "@molecule/contracts/ledger";
import type { RestartSource } from "@molecule/domain/sets";
import { durationText } from "../../text/time-text.ts";

/** What asked, as the beginning of a sentence. */
const SOURCES: Readonly<Record<RestartSource, string>> = {
  create: "Created",
  write: "Saved",
  click: "Restart clicked",
  template: "Template applied",
  image: "New image",
  redeploy: "Redeployment",
  resume: "Resumed",
  wake: "Woken",
  schedule: "Scheduled restart",
  dead_container: "Instance found gone",
  liveness: "No sign of life",
  retry: "Another try",
  platform: "Asked by the platform",
};

/** One row of requests as two lines. */
interface RequestText {
  /** `Restart clicked 3 times within 2 s by Ada`. */
  readonly lead: string;
  /** Why it was no restart of its own. */
  readonly why: string;
}

/** What a row of requests that were not done says. `reader` is the member's name. */
export function requestText(row: RestartRequestView, reader: string | null): RequestText {
  const spanMs = Date.parse(row.lastAt) - Date.parse(row.firstAt);
  const within = spanMs < 1_000 ? "" : ` within ${durationText(spanMs)}`;
  const times = row.count === 1 ? "" : ` ${row.count} times${within}`;
  const who = row.actor.name === reader ? "you" : row.actor.name;
  const by = row.actor.kind === "platform" ? "" : ` by ${who}`;
  return { lead: `${SOURCES[row.source]}${times}${by}`, why: row.sentence };
}
