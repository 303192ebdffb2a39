"use client";
import type { ActivityView } from "@molecule/contracts/panel";
import { type InfiniteData, useInfiniteQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { useEffect, useMemo, useRef } from "react";
import { useTRPCClient } from "../../../trpc/client.tsx";
import { type ReadProblem, readProblem } from "../../../trpc/problem.ts";
import { Button } from "../../../ui/button.tsx";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { EmptyState, ErrorState } from "../../../ui/state.tsx";
import { useClock } from "../../clock/clock.tsx";
import { formatTime } from "../../clock/format.ts";
import { useWorkspaceActions } from "../../workspace-actions/use-workspace-actions.ts";
import type { ActivityPage } from "../state/live-caches.ts";
import { usePanelMemory, useUpdateMemory } from "../state/panel-provider.tsx";
import { ACTIVITY_FACETS, type ActivityFacet } from "../state/panel-state.ts";
import { ACTIVITY_PAGE, activityKey, facetFilter } from "../state/query-keys.ts";
import { dayKey, dayText } from "../text/time-text.ts";
import { ActivityRow } from "./activity-row.tsx";
import { byDay, mergeRows } from "./model/timeline.ts";

const FACET_TITLES: Readonly<Record<ActivityFacet, string>> = {
  all: "All",
  messages: "Messages",
  tasks: "Tasks",
  lifecycle: "Lifecycle",
  errors: "Errors",
};

/** Everything that happened to and around one agent, newest first. */
export function ActivityTab({ workspaceId, isShown }: { workspaceId: string; isShown: boolean }) {
  const facet = usePanelMemory(workspaceId, (memory) => memory.facet);
  const update = useUpdateMemory(workspaceId);
  const setFacet = (next: ActivityFacet) => update((memory) => ({ ...memory, facet: next }));
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div role="radiogroup" aria-label="Show" className="flex flex-wrap gap-1 px-4 py-2">
        {ACTIVITY_FACETS.map((each) => (
          <label
            key={each}
            className={clsx(
              "relative inline-flex h-7 items-center rounded-full px-2.5 text-xs transition-colors duration-[120ms] has-focus-visible:outline-2 has-focus-visible:outline-focus pointer-coarse:h-9",
              each === facet ? "bg-raised font-medium text-ink" : "text-muted hover:text-ink",
            )}
          >
            <input
              type="radio"
              name={`facet-${workspaceId}`}
              className="absolute inset-0 opacity-0"
              checked={each === facet}
              onChange={() => setFacet(each)}
            />
            {FACET_TITLES[each]}
          </label>
        ))}
      </div>
      <Timeline
        key={facet}
        workspaceId={workspaceId}
        facet={facet}
        isShown={isShown}
        onClearFacet={() => setFacet("all")}
      />
    </div>
  );
}

function useTimeline(workspaceId: string, facet: ActivityFacet, isShown: boolean) {
  const client = useTRPCClient();
  return useInfiniteQuery<
    ActivityPage,
    Error,
    InfiniteData<ActivityPage, number | null>,
    ReturnType<typeof activityKey>,
    number | null
  >({
    queryKey: activityKey(workspaceId, facet),
    subscribed: isShown,
    queryFn: ({ pageParam, signal }) =>
      client.activity.list.query(
        {
          workspaceId,
          limit: ACTIVITY_PAGE,
          ...facetFilter(facet),
          ...(pageParam === null ? {} : { before: pageParam }),
        },
        { signal },
      ),
    initialPageParam: null,
    getNextPageParam: (page) => (page.hasMore ? (page.rows.at(-1)?.seq ?? null) : null),
  });
}

function Timeline(props: {
  workspaceId: string;
  facet: ActivityFacet;
  isShown: boolean;
  onClearFacet: () => void;
}) {
  const { workspaceId, facet, isShown, onClearFacet } = props;
  const query = useTimeline(workspaceId, facet, isShown);
  const rows = useMemo(
    () => mergeRows(...(query.data?.pages ?? []).map((page) => page.rows)),
    [query.data],
  );
  const problem = query.error === null ? null : readProblem(query.error);
  if (query.isPending) {
    return (
      <AfterDelay>
        <div role="status" className="flex flex-col gap-2 px-4">
          <span className="sr-only">Loading activity</span>
          {["a", "b", "c", "d", "e", "f", "g", "h"].map((key) => (
            <Skeleton key={key} className="h-10" />
          ))}
        </div>
      </AfterDelay>
    );
  }
  if (problem !== null && rows.length === 0) {
    return (
      <ErrorState
        title="The activity could not be loaded"
        detail={problem.sentence}
        requestId={problem.requestId}
        onRetry={() => void query.refetch()}
        isRetrying={query.isFetching}
      />
    );
  }
  if (rows.length === 0) {
    return <Nothing workspaceId={workspaceId} facet={facet} onClearFacet={onClearFacet} />;
  }
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-4 pb-4">
      {problem === null ? null : (
        <StaleLine
          problem={problem}
          asOf={query.dataUpdatedAt}
          onRetry={() => void query.refetch()}
        />
      )}
      <Days workspaceId={workspaceId} rows={rows} />
      {query.hasNextPage ? (
        <MoreRows isLoading={query.isFetchingNextPage} onLoad={() => void query.fetchNextPage()} />
      ) : (
        <p className="pt-3 text-center text-xs text-muted">That is everything</p>
      )}
    </div>
  );
}

function Days({ workspaceId, rows }: { workspaceId: string; rows: readonly ActivityView[] }) {
  const clock = useClock();
  const days = useMemo(() => byDay(rows, dayKey), [rows]);
  return days.map((day) => (
    <section key={day.day}>
      <h3 className="sticky top-0 z-10 bg-card py-1.5 text-xs font-medium text-muted">
        {dayText(day.rows[0]?.at ?? day.day, clock.nowMs())}
      </h3>
      <ul className="flex flex-col">
        {day.rows.map((row) => (
          <ActivityRow key={row.id} row={row} workspaceId={workspaceId} />
        ))}
      </ul>
    </section>
  ));
}

function Nothing(props: { workspaceId: string; facet: ActivityFacet; onClearFacet: () => void }) {
  const actions = useWorkspaceActions();
  if (props.facet !== "all") {
    return (
      <EmptyState
        title={`No ${FACET_TITLES[props.facet].toLowerCase()} yet`}
        action={<Button onClick={props.onClearFacet}>Show all activity</Button>}
      />
    );
  }
  return (
    <EmptyState
      title="Nothing yet"
      detail="Messages, tasks, restarts and changes appear here as they happen."
      action={
        <Button onClick={() => actions.open(props.workspaceId, "chat")}>Send a message</Button>
      }
    />
  );
}

function StaleLine(props: { problem: ReadProblem; asOf: number; onRetry: () => void }) {
  return (
    <div role="alert" className="flex items-center gap-3 py-2 text-xs">
      <p className="min-w-0 flex-1 text-muted">
        <span className="text-danger">{props.problem.sentence}</span> As of {formatTime(props.asOf)}
        .
      </p>
      <Button size="sm" onClick={props.onRetry}>
        Retry
      </Button>
    </div>
  );
}

/** Loads the next page when it comes into view; a button for the keyboard. */
function MoreRows({ isLoading, onLoad }: { isLoading: boolean; onLoad: () => void }) {
  const mark = useRef<HTMLDivElement>(null);
  const load = useRef(onLoad);
  useEffect(() => {
    load.current = onLoad;
  });
  useEffect(() => {
    if (mark.current === null || isLoading) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) load.current();
      },
      { rootMargin: "0px 0px 240px 0px" },
    );
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [isLoading]);
  return (
    <div ref={mark} className="flex justify-center pt-2">
      <Button variant="ghost" size="sm" isBusy={isLoading} onClick={onLoad}>
        {isLoading ? "Loading older activity" : "Older activity"}
      </Button>
    </div>
  );
}
