"use client";
import type { AttemptView } from "@molecule/contracts/workspaces";
import clsx from "clsx";
import { ChevronRight } from "lucide-react";
import { Ago } from "../../clock/moving-time.tsx";
import { STAGE_LABELS } from "../../status/progress.ts";
import { useOrganisation } from "../../store/node-store.tsx";
import { attemptReason } from "../header/model/reason.ts";
import { durationText } from "../text/time-text.ts";
import { outcomeText, stageSpans } from "./model/attempts.ts";

/** One attempt: why, by whom, how it went, and how long each stage took. */
export function AttemptRow({ attempt }: { attempt: AttemptView }) {
  const reader = useOrganisation()?.member.name ?? null;
  const isFailed = attempt.failure !== null;
  const end = attempt.readyAt ?? attempt.endedAt;
  const tookMs = end === null ? null : Date.parse(end) - Date.parse(attempt.createdAt);
  return (
    <li className="border-b border-line last:border-b-0">
      <details className="group">
        <summary className="flex list-none items-start gap-2 rounded-md py-2 hover:bg-hover/60 pointer-coarse:min-h-11">
          <ChevronRight
            size={14}
            className="mt-[3px] shrink-0 text-muted transition-transform duration-[120ms] group-open:rotate-90"
            aria-hidden="true"
          />
          <span className="min-w-0 flex-1">
            <span className="block text-sm text-ink first-letter:uppercase">
              {attemptReason(attempt, reader)}
            </span>
            <span className={clsx("block text-xs", isFailed ? "text-danger" : "text-muted")}>
              #{attempt.no} · {outcomeText(attempt)}
              {tookMs === null ? "" : ` · ${durationText(tookMs)}`}
            </span>
          </span>
          <span className="shrink-0 text-xs leading-5 text-muted">
            <Ago atMs={Date.parse(attempt.createdAt)} />
          </span>
        </summary>
        <AttemptDetail attempt={attempt} />
      </details>
    </li>
  );
}

function AttemptDetail({ attempt }: { attempt: AttemptView }) {
  const spans = stageSpans(attempt);
  return (
    <div className="flex flex-col gap-2 pb-3 pl-5 text-xs">
      {attempt.failure === null ? null : (
        <p className="rounded-md bg-danger-tint px-2.5 py-1.5 text-muted">
          <span className="font-medium text-danger">{attempt.failure.sentence}</span>{" "}
          {attempt.failure.next}
        </p>
      )}
      {spans.length === 0 ? null : (
        <dl className="flex flex-col gap-0.5">
          {spans.map((span) => (
            <div key={span.stage} className="flex justify-between gap-3 text-muted">
              <dt>{STAGE_LABELS[span.stage]}</dt>
              <dd>{durationText(span.ms)}</dd>
            </div>
          ))}
        </dl>
      )}
      {attempt.detail.merged.map((change) => (
        <p key={change.kind} className="text-muted [overflow-wrap:anywhere]">
          {change.kind}: <span className="font-mono text-ink">{change.names.join(", ")}</span>
          {change.count > change.names.length
            ? ` and ${change.count - change.names.length} more`
            : ""}
        </p>
      ))}
      {attempt.detail.absorbed.map((sentence) => (
        <p key={sentence} className="text-muted">
          Also: {sentence}
        </p>
      ))}
      <p className="text-muted">Caused by {attempt.actor.name}</p>
    </div>
  );
}
