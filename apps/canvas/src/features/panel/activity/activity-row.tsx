"use client";
import type { ActivityView } from "@molecule/contracts/panel";
import { wasWanted } from "@molecule/domain/delivery";
import type { ActivityType } from "@molecule/domain/sets";
import clsx from "clsx";
import {
  ArrowRight,
  Brain,
  CalendarClock,
  ChevronRight,
  CircleAlert,
  ListTodo,
  type LucideIcon,
  MessageSquare,
  PencilLine,
  RotateCw,
  ScrollText,
  Split,
} from "lucide-react";
import { memo } from "react";
import { formatTime } from "../../clock/format.ts";
import { useOrganisation } from "../../store/node-store.tsx";
import { durationText, fullTimeText } from "../text/time-text.ts";
import { actorOf, directionOf, rowText } from "./model/timeline.ts";

const ICONS: Readonly<Record<ActivityType, LucideIcon>> = {
  a2a_send: MessageSquare,
  a2a_receive: MessageSquare,
  delegation: Split,
  task_update: ListTodo,
  agent_log: ScrollText,
  skill_promotion: Brain,
  memory_write: Brain,
  memory_write_global: Brain,
  error: CircleAlert,
  cron_run: CalendarClock,
  lifecycle: RotateCw,
  change: PencilLine,
};

/** One thing that happened; opens for what was asked and answered. */
export const ActivityRow = memo(function ActivityRow(props: {
  row: ActivityView;
  workspaceId: string;
}) {
  const { row, workspaceId } = props;
  const hasMore = row.request !== null || row.response !== null || row.errorDetail !== null;
  if (!hasMore) {
    return (
      <li className="flex items-start gap-1.5 py-1.5 pl-[19px]">
        <RowLine row={row} workspaceId={workspaceId} />
      </li>
    );
  }
  return (
    <li>
      <details className="group">
        <summary className="flex list-none items-start gap-1.5 rounded-md py-1.5 hover:bg-hover/60 pointer-coarse:min-h-11">
          <ChevronRight
            size={13}
            className="mt-1 shrink-0 text-muted transition-transform duration-[120ms] group-open:rotate-90"
            aria-hidden="true"
          />
          <RowLine row={row} workspaceId={workspaceId} />
        </summary>
        <div className="flex flex-col gap-2 pb-3 pl-5">
          {row.errorDetail === null ? null : <Body title="Error" body={row.errorDetail} isBad />}
          {row.request === null ? null : <Body title="Asked" body={row.request} />}
          {row.response === null ? null : <Body title="Answered" body={row.response} />}
        </div>
      </details>
    </li>
  );
});

function RowLine({ row, workspaceId }: { row: ActivityView; workspaceId: string }) {
  const Icon = ICONS[row.type];
  const reader = useOrganisation()?.member.name ?? null;
  const direction = directionOf(row, workspaceId, reader);
  const actor = actorOf(row);
  const isStopped = row.errorDetail !== null && wasWanted(row.errorDetail);
  const isBad = !isStopped && (row.status === "error" || row.type === "error");
  return (
    <>
      <Icon
        size={14}
        className={clsx("mt-[3px] shrink-0", isBad ? "text-danger" : "text-muted")}
        aria-hidden="true"
      />
      <span className="line-clamp-2 min-w-0 flex-1 text-sm">
        {direction === null ? null : (
          <span className="mr-1.5 inline-flex max-w-full items-center gap-1 align-bottom text-xs leading-5 font-medium text-ink">
            <span className="truncate">{direction.from}</span>
            <ArrowRight size={11} className="shrink-0 text-muted" role="img" aria-label="to" />
            <span className="truncate">{direction.to}</span>
          </span>
        )}
        <span
          className={clsx(
            "[overflow-wrap:anywhere]",
            direction === null ? "text-ink" : "text-muted",
          )}
        >
          {rowText(row)}
        </span>
        {actor === null || direction !== null ? null : (
          <span className="text-muted"> · {actor === reader ? "you" : actor}</span>
        )}
      </span>
      <span className="flex shrink-0 items-baseline gap-1.5 text-xs leading-5 text-muted">
        {row.status === "ok" ? null : (
          <span className={isBad ? "text-danger" : "text-ink"}>
            {isStopped ? "stopped" : STATUS_TEXT[row.status]}
          </span>
        )}
        {row.durationMs === null ? null : <span>{durationText(row.durationMs)}</span>}
        <time dateTime={row.at} title={fullTimeText(row.at)}>
          {formatTime(Date.parse(row.at))}
        </time>
      </span>
    </>
  );
}

const STATUS_TEXT = { error: "failed", pending: "running", queued: "queued" } as const;

function Body({ title, body, isBad = false }: { title: string; body: string; isBad?: boolean }) {
  const isData = /^[[{]/.test(body);
  return (
    <div className="flex flex-col gap-1">
      <p className={clsx("text-xs", isBad ? "text-danger" : "text-muted")}>{title}</p>
      <p
        className={clsx(
          "max-h-72 overflow-auto rounded-lg border bg-page px-3 py-2 whitespace-pre-wrap select-text [overflow-wrap:anywhere]",
          isData ? "font-mono text-xs leading-[18px]" : "text-sm",
        )}
      >
        {body}
      </p>
    </div>
  );
}
