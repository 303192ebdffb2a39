import type { ActivityView } from "@molecule/contracts/panel";

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

/** Which way a message went, as this workspace sees it; null for rows that are no message. */
export function directionOf(
  row: ActivityView,
  workspaceId: string,
): { readonly from: string; readonly to: string } | null {
  if (row.type !== "a2a_send" && row.type !== "a2a_receive" && row.type !== "delegation")
    return null;
  const target = row.targetName ?? (row.targetId === workspaceId ? "this agent" : null);
  const source = row.sourceName ?? row.actorName ?? (row.method === "notify" ? target : "You");
  if (row.method === "notify") return { from: source ?? "the agent", to: "You" };
  return source === null || target === null ? null : { from: source, to: target };
}

/** A body as a person can read it: JSON indented, everything else as it came. */
export function readableBody(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
