import type { StatusHistory, StatusSpan } from "@molecule/contracts/ledger";
import type { WorkspaceStatus } from "@molecule/domain/sets";
import { formatDuration } from "../../../clock/format.ts";

/** How far back a strip goes. */
const WINDOW_MS = 24 * 3_600_000;
const NEARLY_WHOLE_MS = WINDOW_MS - 60_000;
/** Pieces that a strip has at most: at the panel's least width each is wide enough to be seen. */
const SLOTS = 160;

/** Statuses by how much a person wants to see them; where several share a slot, the first one shows. */
const BY_WEIGHT: readonly (WorkspaceStatus | null)[] = [
  "failed",
  "degraded",
  "offline",
  "provisioning",
  "awaiting_agent",
  "removed",
  "paused",
  "hibernated",
  "hibernating",
  "online",
  null,
];

/** A time in one status, in ms since the epoch; null is a time of which nothing is kept. */
export interface Span {
  readonly status: WorkspaceStatus | null;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One piece of the strip. */
export interface Piece extends Span {
  /** Where it begins, 0 to 1 of the strip. */
  readonly from: number;
  readonly share: number;
  /** The times it stands for: more than one where they are too short to be drawn each. */
  readonly spans: readonly Span[];
}

/**
 * The history as it is at a later time: the last status lasts until now, and a window of a whole day
 * moves on. A shorter one began when the workspace was created.
 */
export function historyAt(history: StatusHistory, nowMs: number): Span[] {
  const toMs = Math.max(nowMs, Date.parse(history.to));
  const fromMs = Math.max(Date.parse(history.from), toMs - WINDOW_MS);
  return history.spans.flatMap((span: StatusSpan, index) => {
    const isLast = index === history.spans.length - 1;
    const from = Math.max(Date.parse(span.from), fromMs);
    const to = isLast ? toMs : Date.parse(span.to);
    return to > from ? [{ status: span.status, fromMs: from, toMs: to }] : [];
  });
}

/**
 * The strip's pieces, oldest first and without gaps. Times are drawn in slots, so that a restart of
 * seconds is still there to be seen in a day; equal neighbours are one piece. The last slot shows how
 * it is now, whatever happened a moment ago.
 */
export function stripPieces(spans: readonly Span[]): Piece[] {
  const first = spans[0];
  const last = spans.at(-1);
  if (first === undefined || last === undefined) return [];
  const slotMs = (last.toMs - first.fromMs) / SLOTS;
  const pieces: Piece[] = [];
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const fromMs = first.fromMs + slot * slotMs;
    const inSlot =
      slot === SLOTS - 1
        ? [last]
        : spans.filter((span) => span.fromMs < fromMs + slotMs && span.toMs > fromMs);
    const status = heaviest(inSlot);
    const shown = inSlot.filter((span) => span.status === status);
    const before = pieces.at(-1);
    if (before !== undefined && before.status === status) {
      pieces[pieces.length - 1] = {
        ...before,
        toMs: shown.at(-1)?.toMs ?? before.toMs,
        share: before.share + 1 / SLOTS,
        spans: [...before.spans, ...shown.filter((span) => !before.spans.includes(span))],
      };
      continue;
    }
    pieces.push({
      status,
      fromMs: shown[0]?.fromMs ?? fromMs,
      toMs: shown.at(-1)?.toMs ?? fromMs + slotMs,
      from: slot / SLOTS,
      share: 1 / SLOTS,
      spans: shown,
    });
  }
  return pieces;
}

function heaviest(spans: readonly Span[]): WorkspaceStatus | null {
  return BY_WEIGHT.find((status) => spans.some((span) => span.status === status)) ?? null;
}

/** What a day came to. */
export interface HistorySummary {
  /** `96 %`; null while nothing is known. */
  readonly online: string | null;
  readonly restarts: number;
  /** `Online 96 % of the last 24 hours; 3 restarts`. */
  readonly text: string;
}

/** Statuses a summary names beside Online, with how long they lasted. */
const NAMED: readonly (readonly [WorkspaceStatus, string])[] = [
  ["failed", "failed"],
  ["degraded", "degraded"],
  ["offline", "not reachable"],
];

/** Statuses after which a start is a restart and not a wake, a resume or a first start. */
const RUNNING: ReadonlySet<WorkspaceStatus | null | undefined> = new Set([
  "online",
  "degraded",
  "offline",
  "failed",
] as const);

/** The spans as one sentence. What is not known counts for nothing. */
export function summarise(spans: readonly Span[]): HistorySummary {
  const known = spans.filter((span) => span.status !== null);
  const first = known[0];
  const knownMs = lengthOf(known);
  if (first === undefined || knownMs === 0) {
    return { online: null, restarts: 0, text: "Nothing is known of this time" };
  }
  const online = percentText(lengthOf(known.filter((span) => span.status === "online")) / knownMs);
  const restarts = spans.filter(
    (span, index) => span.status === "provisioning" && RUNNING.has(spans[index - 1]?.status),
  ).length;
  const named = NAMED.flatMap(([status, word]) => {
    const ms = lengthOf(spans.filter((span) => span.status === status));
    return ms === 0 ? [] : [`${word} for ${formatDuration(ms)}`];
  });
  const wholeMs = lengthOf(spans);
  const time = timeText(wholeMs, knownMs);
  const count = restarts === 1 ? "1 restart" : `${restarts === 0 ? "no" : restarts} restarts`;
  return { online, restarts, text: [`Online ${online} ${time}`, count, ...named].join("; ") };
}

const lengthOf = (spans: readonly Span[]) =>
  spans.reduce((sum, span) => sum + span.toMs - span.fromMs, 0);

/** `96 %`; a share that is not whole never reads as whole, nor one that is not nothing as nothing. */
function percentText(share: number): string {
  const percent = Math.round(share * 100);
  if (percent === 100 && share < 1) return "over 99 %";
  if (percent === 0 && share > 0) return "under 1 %";
  return `${percent} %`;
}

/** Whether spans cover the whole day; if not, they begin when the workspace was created. */
export function isWholeDay(spans: readonly Span[]): boolean {
  return lengthOf(spans) > NEARLY_WHOLE_MS;
}

function timeText(wholeMs: number, knownMs: number): string {
  // An instant before the first event of a new workspace is no gap in the log.
  if (knownMs < wholeMs * 0.99) return `of the ${formatDuration(knownMs)} that are known`;
  return wholeMs > NEARLY_WHOLE_MS
    ? "of the last 24 hours"
    : `since it was created ${formatDuration(wholeMs)} ago`;
}
