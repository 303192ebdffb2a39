"use client";
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../../trpc/client.tsx";
import { readProblem } from "../../trpc/problem.ts";
import { InlineProblem } from "../panel/inline-problem.tsx";
import { reachText } from "./reach-text.ts";

/** What the change would do, and to whom, before it is made. */
export function Reach({
  id,
  name,
  change,
}: {
  id: string;
  name: string;
  change: "set" | "remove";
}) {
  const trpc = useTRPC();
  const isRemoval = change === "remove";
  const query = useQuery(
    // Who runs and who rests changes by itself, so it is asked for whenever it is shown.
    trpc.settings.secretReach.queryOptions({ key: name, isRemoval }, { staleTime: 0 }),
  );
  if (query.isError) {
    return (
      <InlineProblem
        title="What this changes could not be loaded."
        problem={readProblem(query.error)}
        onRetry={() => void query.refetch()}
        isRetrying={query.isFetching}
      />
    );
  }
  return (
    <ul
      id={id}
      aria-live="polite"
      className="flex min-h-4 list-disc flex-col gap-0.5 pl-4 text-xs text-muted marker:text-line-strong"
    >
      {query.data === undefined
        ? null
        : reachText(query.data, change).map((text) => <li key={text}>{text}</li>)}
    </ul>
  );
}
