"use client";
import type { ScheduleRunView, ScheduleView } from "@molecule/contracts/schedules";
import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { Ago } from "../../clock/moving-time.tsx";
import { InlineProblem } from "../inline-problem.tsx";
import { fullTimeText } from "../text/time-text.ts";
import { causeText, outcomeText } from "./model/schedule-text.ts";

/** What the agent is told, and the newest runs. */
export function ScheduleRuns({ schedule }: { schedule: ScheduleView }) {
  const trpc = useTRPC();
  const { workspaceId, id } = schedule;
  const query = useQuery(trpc.schedules.runs.queryOptions({ workspaceId, id }));
  return (
    <div className="flex flex-col gap-2 pt-1 pb-1">
      <p className="max-h-40 overflow-y-auto rounded-md bg-raised px-3 py-2 text-xs whitespace-pre-wrap text-ink select-text wrap-anywhere">
        {schedule.prompt}
      </p>
      {query.data !== undefined ? (
        <RunList runs={query.data} total={schedule.runCount} />
      ) : query.isError ? (
        <InlineProblem
          title="The runs could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : (
        <AfterDelay>
          <Skeleton className="h-12" />
        </AfterDelay>
      )}
    </div>
  );
}

function RunList({ runs, total }: { runs: readonly ScheduleRunView[]; total: number }) {
  if (runs.length === 0) return <p className="text-xs text-muted">It has not run yet.</p>;
  return (
    <>
      <ol aria-label="Last runs" className="flex flex-col">
        {runs.map((run) => (
          <Run key={run.id} run={run} />
        ))}
      </ol>
      {total > runs.length ? (
        <p className="text-xs text-muted">
          The newest {runs.length} of {total} runs.
        </p>
      ) : null}
    </>
  );
}

function Run({ run }: { run: ScheduleRunView }) {
  const isBad = run.outcome === "error" || run.outcome === "stale";
  return (
    <li className="border-b border-line py-1.5 text-xs last:border-b-0">
      <div className="flex items-baseline gap-3">
        <span className="min-w-0 flex-1 text-ink">
          {causeText(run)}:{" "}
          <span className={clsx(isBad ? "text-danger" : "text-muted")}>{outcomeText(run)}</span>
        </span>
        <span className="shrink-0 text-muted" title={fullTimeText(run.startedAt)}>
          <Ago atMs={Date.parse(run.startedAt)} />
        </span>
      </div>
      {run.note === null ? null : <p className="text-muted wrap-anywhere">{run.note}</p>}
    </li>
  );
}
