"use client";
import { useCoarseNow, useNow } from "./clock.tsx";
import { formatAgo, formatElapsed, formatUntil } from "./format.ts";

/** A running clock since an instant: `0:42`. */
export function Elapsed({ sinceMs }: { sinceMs: number }) {
  return <time>{formatElapsed(useNow() - sinceMs)}</time>;
}

/** How long ago, in words. */
export function Ago({ atMs }: { atMs: number }) {
  const now = useCoarseNow();
  return (
    <time dateTime={new Date(atMs).toISOString()} title={new Date(atMs).toLocaleString()}>
      {formatAgo(atMs, now)}
    </time>
  );
}

/** A countdown in words: `12 s`. */
export function Until({ atMs }: { atMs: number }) {
  return <time>{formatUntil(atMs, useNow())}</time>;
}
