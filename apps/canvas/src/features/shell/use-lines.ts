"use client";
import { type RefObject, useEffect, useRef, useState } from "react";

/** From this many on, only the lines in view are drawn. */
const WINDOW_FROM = 80;
/** Lines drawn above and below what is in view. */
const MARGIN = 12;

export interface Lines {
  readonly list: RefObject<HTMLDivElement | null>;
  /** Drawn are the lines `from` up to but not `to`; the room of the others is `before` and `after`, in px. */
  readonly from: number;
  readonly to: number;
  readonly before: number;
  readonly after: number;
  /** Scrolls to a line and puts the focus on it. */
  readonly focus: (index: number) => void;
}

/** Draws a long list of lines of equal height in part. The list's parent must be what scrolls. */
export function useLines(count: number, linePx: number): Lines {
  const list = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 900 });
  const isPartial = count >= WINDOW_FROM;
  useEffect(() => {
    const scroller = list.current?.parentElement;
    if (!isPartial || scroller === null || scroller === undefined) return;
    const read = () => setView({ top: scroller.scrollTop, height: scroller.clientHeight });
    read();
    scroller.addEventListener("scroll", read, { passive: true });
    window.addEventListener("resize", read);
    return () => {
      scroller.removeEventListener("scroll", read);
      window.removeEventListener("resize", read);
    };
  }, [isPartial]);
  const first = isPartial ? Math.floor(view.top / linePx) - MARGIN : 0;
  const from = Math.max(0, Math.min(first, count));
  const shown = isPartial ? Math.ceil(view.height / linePx) + 2 * MARGIN : count;
  const to = Math.min(count, from + shown);

  const focus = (index: number) => {
    const scroller = list.current?.parentElement;
    if (isPartial && scroller !== null && scroller !== undefined) {
      const top = index * linePx;
      if (top < scroller.scrollTop) scroller.scrollTop = top;
      const over = top + linePx - (scroller.scrollTop + scroller.clientHeight);
      if (over > 0) scroller.scrollTop += over;
    }
    // After the line is drawn, which a scroll may have to do first.
    requestAnimationFrame(() => {
      list.current?.querySelector<HTMLElement>(`[aria-posinset="${index + 1}"]`)?.focus();
    });
  };
  return { list, from, to, before: from * linePx, after: (count - to) * linePx, focus };
}
