import type { ActivityView } from "@molecule/contracts/panel";
import { PLATFORM_ACTOR } from "@molecule/domain/sets";

/** Every row once, newest first; of two with one id the later given one stays. */
export function mergeRows(...lists: readonly (readonly ActivityView[])[]): ActivityView[] {
  const byId = new Map<string, ActivityView>();
  for (const row of lists.flat()) byId.set(row.id, row);
  return [...byId.values()].sort((a, b) => b.seq - a.seq);
}

/** One day of the timeline. `day` is the local date of its rows. */
export interface TimelineDay {
  readonly day: string;
  readonly rows: readonly ActivityView[];
}

/** Rows, newest first, cut where the local day changes. */
export function byDay(
  rows: readonly ActivityView[],
  dayOf: (iso: string) => string,
): TimelineDay[] {
  const days: { day: string; rows: ActivityView[] }[] = [];
  for (const row of rows) {
    const day = dayOf(row.at);
    const last = days.at(-1);
    if (last?.day === day) last.rows.push(row);
    else days.push({ day, rows: [row] });
  }
  return days;
}

/** Both ends of a message, as `reader` calls them; null for rows that are no message. */
export function directionOf(
  row: ActivityView,
  workspaceId: string,
  reader: string | null,
): { readonly from: string; readonly to: string } | null {
  if (!isMessage(row)) return null;
  const target = row.targetName ?? (row.targetId === workspaceId ? "this agent" : null);
  const person = row.actorName === null || row.actorName === reader ? "You" : row.actorName;
  const source = row.sourceName ?? (row.method === "notify" ? target : person);
  if (row.method === "notify") return { from: source ?? "the agent", to: "You" };
  return source === null || target === null ? null : { from: source, to: target };
}

/** What a row says: the message itself where the row is one, else its summary. */
export function rowText(row: ActivityView): string {
  if (!isMessage(row)) return row.summary;
  const said = row.method === "notify" ? row.response : row.request;
  return said === null || said.trim() === "" ? row.summary : said.trim();
}

function isMessage(row: ActivityView): boolean {
  return row.type === "a2a_send" || row.type === "a2a_receive" || row.type === "delegation";
}

/** Who else did it; null where the summary says so already, and for the platform's own doing. */
export function actorOf(row: ActivityView): string | null {
  const { actorName } = row;
  if (actorName === null || actorName === PLATFORM_ACTOR.name) return null;
  return row.summary.includes(actorName) ? null : actorName;
}
