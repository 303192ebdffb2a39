"use client";
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import clsx from "clsx";
import type { ReactNode } from "react";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { AfterDelay, Skeleton } from "../../ui/skeleton.tsx";
import { InlineProblem } from "./inline-problem.tsx";

type Pages = Pick<
  UseInfiniteQueryResult<unknown>,
  | "isPending"
  | "isError"
  | "error"
  | "isFetching"
  | "refetch"
  | "hasNextPage"
  | "isFetchingNextPage"
  | "fetchNextPage"
>;

/**
 * A list that is loaded by the page: its rows as far as they are there, what failed with Retry, and the
 * button for earlier ones. What is there stays while more is loaded, and after a failure.
 */
export function PagedRows(props: {
  query: Pages;
  /** The list as it is drawn; null while it has no row. */
  rows: ReactNode | null;
  /** Shown when it was loaded and has no row. */
  empty?: string;
  /** What is said when it could not be loaded. */
  failed: string;
  more: string;
  isQuiet?: boolean;
}) {
  const { query, rows, empty, failed, more, isQuiet = false } = props;
  return (
    <>
      {rows !== null ? (
        rows
      ) : query.isPending ? (
        <AfterDelay>
          <Skeleton className="h-24" />
        </AfterDelay>
      ) : query.isError || empty === undefined ? null : (
        <p className="text-sm text-muted">{empty}</p>
      )}
      {query.isError ? (
        <InlineProblem
          title={failed}
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : null}
      {query.hasNextPage ? (
        <Button
          size="sm"
          {...(isQuiet ? { variant: "ghost" } : {})}
          className={clsx("self-start", isQuiet && "-ml-2.5")}
          isBusy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {more}
        </Button>
      ) : null}
    </>
  );
}
