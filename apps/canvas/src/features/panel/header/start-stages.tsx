"use client";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import { STAGES } from "@molecule/domain/sets";
import clsx from "clsx";
import { Check } from "lucide-react";
import { useNow } from "../../clock/clock.tsx";
import { formatElapsed } from "../../clock/format.ts";
import { progressOf, STAGE_LABELS } from "../../status/progress.ts";
import { ProgressBar } from "../../status/progress-bar.tsx";
import { durationText } from "../text/time-text.ts";

/** The stages of an open attempt: which are over and how long each took, which runs, which come. */
export function StartStages({ node, attempt }: { node: WorkspaceNode; attempt: AttemptView }) {
  const nowMs = useNow(attempt.outcome === null);
  const progress = progressOf(attempt, nowMs);
  if (progress === null) return null;
  const current = progress.stageNo - 1;
  return (
    <div className="rounded-lg border bg-page px-3 py-2.5 text-xs">
      <div className="flex items-baseline justify-between gap-3">
        <p className="text-sm font-medium text-ink">
          {attempt.reason === "create" ? `${node.name} is starting` : "Restarting"}
        </p>
        <p className={progress.isSlow ? "text-warn" : "text-muted"}>
          {formatElapsed(progress.elapsedMs)}
          {progress.expectedMs === null
            ? null
            : progress.isSlow
              ? " · slower than usual"
              : ` of about ${formatElapsed(progress.expectedMs)}`}
        </p>
      </div>
      <ProgressBar attemptNo={attempt.no} progress={progress} className="my-2" />
      <ol className="flex flex-col gap-1">
        {shownStages(attempt, current).map(({ stage, index }) => (
          <li
            key={stage}
            aria-current={index === current ? "step" : undefined}
            className={clsx(
              "flex h-5 items-center gap-2",
              index === current ? "text-ink" : "text-muted",
            )}
          >
            <StageMark place={Math.sign(index - current)} />
            <span className="min-w-0 flex-1 truncate">
              {STAGE_LABELS[stage]}
              {index === current && progress.detail !== null ? (
                <span className="text-muted"> · {progress.detail}</span>
              ) : null}
            </span>
            <span>{index < current ? stageTime(attempt, index) : null}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The stages of this attempt: those that are over and did not happen are left out. */
function shownStages(attempt: AttemptView, current: number) {
  return STAGES.map((stage, index) => ({ stage, index })).filter(({ stage, index }) => {
    if (attempt.reason === "create" && stage === "stopping") return false;
    return index >= current || attempt.stages.some((mark) => mark.stage === stage);
  });
}

function StageMark({ place }: { place: number }) {
  if (place < 0) {
    return <Check size={12} className="mx-px text-status-online" aria-label="done" />;
  }
  return (
    <span className="flex size-3.5 items-center justify-center" aria-hidden="true">
      <span
        className={clsx(
          "rounded-full",
          place === 0 ? "size-2 bg-status-provisioning" : "size-1.5 bg-line-strong",
        )}
      />
    </span>
  );
}

/** How long a stage lasted; nothing for a stage that was skipped. */
function stageTime(attempt: AttemptView, index: number): string | null {
  const mark = attempt.stages.find((each) => each.stage === STAGES[index]);
  const later = STAGES.slice(index + 1);
  const next = attempt.stages.find((each) => later.includes(each.stage));
  if (mark === undefined || next === undefined) return null;
  return durationText(Date.parse(next.at) - Date.parse(mark.at));
}
