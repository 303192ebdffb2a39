"use client";
import type { AttemptView } from "@molecule/contracts/workspaces";
import clsx from "clsx";
import { useNow } from "../../clock/clock.tsx";
import { STAGE_LABELS } from "../../status/progress.ts";
import { durationText } from "../text/time-text.ts";
import { phaseRows } from "./model/attempts.ts";

/** The stages of an attempt below each other, each with its time and its place in the whole. */
export function AttemptPhases({ attempt }: { attempt: AttemptView }) {
  const isOpen = attempt.readyAt === null && attempt.endedAt === null;
  const rows = phaseRows(attempt, useNow(isOpen));
  if (rows.length === 0) return null;
  return (
    <ol aria-label="Phases" className="flex flex-col gap-1">
      {rows.map((row) => (
        <li
          key={row.stage}
          aria-current={row.isRunning ? "step" : undefined}
          className="grid grid-cols-[minmax(0,9.5rem)_1fr_4rem] items-center gap-x-3"
        >
          <span className={row.isRunning ? "text-ink" : "text-muted"}>
            {STAGE_LABELS[row.stage]}
          </span>
          <span aria-hidden="true" className="relative h-1.5 rounded-full bg-raised">
            <span
              className={clsx(
                "absolute inset-y-0 min-w-1 rounded-full",
                row.isRunning ? "bg-status-provisioning" : "bg-control",
              )}
              style={{ left: `${row.from * 98}%`, width: `${row.share * 100}%` }}
            />
          </span>
          <span className="text-right text-ink">{durationText(row.ms)}</span>
          {row.progress === null ? null : (
            <span className="col-span-3 truncate text-muted" title={row.progress}>
              {row.progress}
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
