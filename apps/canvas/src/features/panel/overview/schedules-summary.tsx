"use client";
import type { ScheduleView } from "@molecule/contracts/schedules";
import { readProblem } from "../../../trpc/problem.ts";
import { Button } from "../../../ui/button.tsx";
import { useCoarseNow } from "../../clock/clock.tsx";
import { Ago } from "../../clock/moving-time.tsx";
import { useWorkspaceActions } from "../../workspace-actions/use-workspace-actions.ts";
import { InlineProblem } from "../inline-problem.tsx";
import { lastRunText, nextRunText, titleOf } from "../schedules/model/schedule-text.ts";
import { scheduleSummary } from "../schedules/model/summary.ts";
import { readerZone } from "../schedules/model/time-zones.ts";
import { useSchedules } from "../schedules/use-schedules.ts";
import { OverviewSection } from "./overview-section.tsx";

/** When the agent is written to next by the clock, and how that went last; nothing without schedules. */
export function SchedulesSummary(props: { workspaceId: string; isShown: boolean }) {
  const { workspaceId, isShown } = props;
  const query = useSchedules(workspaceId, { isShown });
  const actions = useWorkspaceActions();
  if (query.isError && query.data === undefined) {
    return (
      <OverviewSection title="Schedules">
        <InlineProblem
          title="The schedules could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      </OverviewSection>
    );
  }
  const summary = scheduleSummary(query.data?.schedules ?? []);
  if (summary === null) return null;
  const { next, last, troubled } = summary;
  return (
    <OverviewSection title="Schedules" aside={`${summary.on} of ${summary.count} on`}>
      <dl className="grid grid-cols-[minmax(96px,auto)_1fr] gap-x-4 gap-y-2 text-sm">
        <dt className="text-muted">Next run</dt>
        <dd className="min-w-0 text-ink [overflow-wrap:anywhere]">
          {query.data?.runtimeRunsThem === true ? (
            "The agent's own runtime runs them."
          ) : next === null ? (
            "None: all are off."
          ) : (
            <NextRun schedule={next} />
          )}
        </dd>
        <dt className="text-muted">Last run</dt>
        <dd className="min-w-0 text-ink [overflow-wrap:anywhere]">
          {last === null ? "None yet." : <LastRun schedule={last} />}
        </dd>
      </dl>
      {troubled.length > (last === null || last.lastStatus === "ok" ? 0 : 1) ? (
        <p className="text-xs text-warn">
          {troubled.length} of them went wrong the last time: {troubled.map(titleOf).join(", ")}.
        </p>
      ) : null}
      <Button
        size="sm"
        className="self-start"
        onClick={() => actions.open(workspaceId, "configure")}
      >
        See schedules
      </Button>
    </OverviewSection>
  );
}

function NextRun({ schedule }: { schedule: ScheduleView }) {
  const nowMs = useCoarseNow();
  return (
    <>
      {titleOf(schedule)}
      <span className="block text-xs text-muted">{nextRunText(schedule, nowMs, readerZone())}</span>
    </>
  );
}

function LastRun({ schedule }: { schedule: ScheduleView }) {
  const isWell = schedule.lastStatus === "ok";
  return (
    <>
      {titleOf(schedule)}
      <span className={`block text-xs ${isWell ? "text-muted" : "text-warn"}`}>
        {lastRunText(schedule)}{" "}
        {schedule.lastRunAt === null ? null : <Ago atMs={Date.parse(schedule.lastRunAt)} />}
      </span>
    </>
  );
}
