"use client";
import { useQuery } from "@tanstack/react-query";
import { useTRPCClient } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { useCoarseNow } from "../../clock/clock.tsx";
import { InlineProblem } from "../inline-problem.tsx";
import { ledgerKey } from "../state/query-keys.ts";
import { historyAt, summarise } from "./model/status-strip.ts";
import { OverviewSection } from "./overview-section.tsx";
import { StatusStrip } from "./status-strip.tsx";

/** How the agent was over the last day. */
export function StatusStripSection(props: { workspaceId: string; isShown: boolean }) {
  const { workspaceId, isShown } = props;
  const client = useTRPCClient();
  const nowMs = useCoarseNow();
  const query = useQuery({
    queryKey: [...ledgerKey(workspaceId), "history"],
    queryFn: ({ signal }) => client.workspaces.statusHistory.query({ id: workspaceId }, { signal }),
    enabled: isShown,
  });
  const spans = query.data === undefined ? [] : historyAt(query.data, nowMs);
  const summary = summarise(spans);
  return (
    <OverviewSection
      title="Last 24 hours"
      {...(summary.online === null ? {} : { aside: <span>online {summary.online}</span> })}
    >
      {query.data !== undefined ? (
        <StatusStrip spans={spans} summary={summary.text} nowMs={nowMs} />
      ) : query.isError ? null : (
        <AfterDelay>
          <Skeleton className="h-11" />
        </AfterDelay>
      )}
      {query.isError ? (
        <InlineProblem
          title="How it was could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : null}
    </OverviewSection>
  );
}
