"use client";
import clsx from "clsx";
import { type ReactNode, useEffect, useState } from "react";

/** A grey block in the shape of what is being loaded. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <div aria-hidden="true" className={clsx("animate-skeleton rounded-md bg-raised", className)} />
  );
}

/** Shows its children only after 150 ms, so that a fast answer never flashes a skeleton. */
export function AfterDelay({ delayMs = 150, children }: { delayMs?: number; children: ReactNode }) {
  const [isDue, setIsDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsDue(true), delayMs);
    return () => clearTimeout(timer);
  }, [delayMs]);
  return isDue ? children : null;
}
