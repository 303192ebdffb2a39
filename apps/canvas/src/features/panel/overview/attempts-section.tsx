"use client";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTRPCClient } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { Button } from "../../../ui/button.tsx";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { InlineProblem } from "../inline-problem.tsx";
import { AttemptRow } from "./attempt-row.tsx";
import { mergeAttempts } from "./model/attempts.ts";
import { OverviewSection } from "./overview-section.tsx";

/** Attempts per page. */
const PAGE = 10;

/** Every start and restart with its reason; the newest comes from the live node. */
export function AttemptsSection({ node }: { node: WorkspaceNode }) {
  const client = useTRPCClient();
  const query = useInfiniteQuery({
    queryKey: ["panel", "attempts", node.id],
    queryFn: ({ pageParam, signal }): Promise<AttemptView[]> =>
      client.workspaces.attempts.query(
        { id: node.id, limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) },
        { signal },
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.length < PAGE ? null : (page.at(-1)?.no ?? null)),
  });
  const attempts = useMemo(
    () => mergeAttempts(query.data?.pages.flat() ?? [], node.attempt),
    [query.data, node.attempt],
  );
  if (node.backend === "external") {
    return (
      <OverviewSection title="Starts and restarts">
        <p className="text-sm text-muted">
          This agent runs elsewhere. The platform does not start or stop it.
        </p>
      </OverviewSection>
    );
  }
  return (
    <OverviewSection title="Starts and restarts">
      {attempts.length > 0 ? (
        <ol className="flex flex-col">
          {attempts.map((attempt) => (
            <AttemptRow key={attempt.no} attempt={attempt} />
          ))}
        </ol>
      ) : query.isPending ? (
        <AfterDelay>
          <Skeleton className="h-24" />
        </AfterDelay>
      ) : query.isError ? null : (
        <p className="text-sm text-muted">It has not been started yet.</p>
      )}
      {query.isError ? (
        <InlineProblem
          title="Earlier attempts could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : null}
      {query.hasNextPage ? (
        <Button
          size="sm"
          className="self-start"
          isBusy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Older
        </Button>
      ) : null}
    </OverviewSection>
  );
}
