"use client";
import clsx from "clsx";
import { useRef } from "react";
import type { Progress } from "./progress.ts";

/** The bar of an open attempt. Inside one attempt it never goes back, whatever the clocks say. */
export function ProgressBar(props: { attemptNo: number; progress: Progress; className?: string }) {
  const { attemptNo, progress, className } = props;
  const reached = useRef({ attemptNo, fraction: 0 });
  if (reached.current.attemptNo !== attemptNo) reached.current = { attemptNo, fraction: 0 };
  reached.current.fraction = Math.max(reached.current.fraction, progress.fraction);
  return (
    <div
      role="progressbar"
      aria-label="Start"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(reached.current.fraction * 100)}
      aria-valuetext={`${progress.stageNo} of ${progress.stageCount}, ${progress.label}`}
      className={clsx("h-1 overflow-hidden rounded-full bg-hover", className)}
    >
      <div
        className="h-full origin-left rounded-full bg-status-provisioning transition-transform duration-1000 ease-linear"
        style={{ transform: `scaleX(${reached.current.fraction})` }}
      />
    </div>
  );
}
