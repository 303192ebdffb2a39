"use client";
import clsx from "clsx";
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { formatAgo, formatDuration, formatTime } from "../../clock/format.ts";
import { toneValue } from "../../status/status-glyph.tsx";
import { statusView } from "../../status/status-view.ts";
import { dayKey } from "../text/time-text.ts";
import { isWholeDay, type Piece, type Span, stripPieces } from "./model/status-strip.ts";

export interface StatusStripProps {
  spans: readonly Span[];
  /** The whole strip as a sentence. */
  summary: string;
  nowMs: number;
}

/**
 * A day as coloured pieces. Pointing at a piece, or going through them with the arrow keys, says which
 * status it is and when; the sentence below says it in place of the times at the ends.
 */
export function StatusStrip({ spans, summary, nowMs }: StatusStripProps) {
  const pieces = stripPieces(spans);
  const [place, setPlace] = useState<number | null>(null);
  const index = place === null ? -1 : pieces.findLastIndex((piece) => piece.from <= place);
  const piece = pieces[index];
  const choose = (to: number) => {
    const chosen = pieces[Math.min(Math.max(to, 0), pieces.length - 1)];
    setPlace(chosen === undefined ? null : chosen.from + chosen.share / 2);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const target = keyTarget(event.key, index, pieces.length);
    if (target === null) return;
    event.preventDefault();
    choose(target);
  };
  const onPointerMove = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    setPlace(Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.9999));
  };
  return (
    <div className="flex flex-col gap-1.5">
      <div className="relative rounded-sm has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-focus">
        <div role="img" aria-label={summary} className="flex h-3 gap-px overflow-hidden rounded-sm">
          {pieces.map((each, at) => (
            <PieceBar key={each.from} piece={each} isChosen={at === index} isAny={index >= 0} />
          ))}
        </div>
        <input
          type="range"
          aria-label="Times of the last 24 hours"
          aria-valuetext={piece === undefined ? summary : pieceText(piece, nowMs)}
          min={0}
          max={Math.max(0, pieces.length - 1)}
          value={Math.max(index, 0)}
          className="absolute inset-x-0 -inset-y-2 h-7 w-full cursor-crosshair appearance-none opacity-0"
          onChange={() => {}}
          onKeyDown={onKeyDown}
          onFocus={() => place === null && choose(pieces.length - 1)}
          onBlur={() => setPlace(null)}
          onPointerDown={onPointerMove}
          onPointerMove={onPointerMove}
          // A finger that lifts has chosen; a mouse that leaves has looked.
          onPointerLeave={(event) => event.pointerType === "mouse" && setPlace(null)}
        />
      </div>
      <p aria-hidden="true" className="flex justify-between gap-3 text-xs text-muted">
        {piece === undefined ? (
          <>
            <span>{startText(spans, nowMs)}</span>
            <span>now</span>
          </>
        ) : (
          <PieceWords piece={piece} nowMs={nowMs} />
        )}
      </p>
    </div>
  );
}

function PieceBar({ piece, isChosen, isAny }: { piece: Piece; isChosen: boolean; isAny: boolean }) {
  return (
    <span
      className={clsx(
        "h-full transition-opacity duration-[120ms]",
        isAny && !isChosen && "opacity-55",
      )}
      style={{ flex: `${piece.share} 1 0px`, background: pieceFill(piece) }}
    />
  );
}

/** Colour of a status, and stripes where nothing is known. */
function pieceFill({ status }: Piece): string {
  if (status === null) {
    return "repeating-linear-gradient(135deg, var(--line-strong) 0 1.5px, transparent 1.5px 6px)";
  }
  return toneValue(viewOf(status).tone);
}

function PieceWords({ piece, nowMs }: { piece: Piece; nowMs: number }) {
  const { status } = piece;
  return (
    <>
      <span className="truncate">
        <span className="font-medium text-ink">{statusWord(status)}</span>
        {piece.spans.length > 1 ? ` ${piece.spans.length} times` : ""}
        {` · ${timesText(piece, nowMs)}`}
      </span>
      <span className="shrink-0">{lengthText(piece)}</span>
    </>
  );
}

function startText(spans: readonly Span[], nowMs: number): string {
  const first = spans[0];
  if (first === undefined || isWholeDay(spans)) return "24 h ago";
  return `created ${formatAgo(first.fromMs, nowMs)}`;
}

function pieceText(piece: Piece, nowMs: number): string {
  const times = piece.spans.length > 1 ? `, ${piece.spans.length} times` : "";
  return `${statusWord(piece.status)}${times}, ${timesText(piece, nowMs)}, ${lengthText(piece)}`;
}

const viewOf = (status: NonNullable<Piece["status"]>) =>
  statusView({ status, attempt: null, activeTasks: 0, phase: "READY", waitsForTurn: false });

const statusWord = (status: Piece["status"]) =>
  status === null ? "Not known" : viewOf(status).word;

/** `22:10 yesterday – 02:04`. */
function timesText(piece: Span, nowMs: number): string {
  const today = dayKey(new Date(nowMs).toISOString());
  const time = (ms: number) => {
    const isToday = dayKey(new Date(ms).toISOString()) === today;
    return isToday ? formatTime(ms) : `${formatTime(ms)} yesterday`;
  };
  return `${time(piece.fromMs)} – ${piece.toMs >= nowMs ? "now" : time(piece.toMs)}`;
}

function lengthText(piece: Piece): string {
  const ms = piece.spans.reduce((sum, span) => sum + span.toMs - span.fromMs, 0);
  return formatDuration(ms);
}

/** The piece that a key goes to; null for a key that is none of ours. */
function keyTarget(key: string, index: number, count: number): number | null {
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return index - 1;
    case "ArrowRight":
    case "ArrowUp":
      return index + 1;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
