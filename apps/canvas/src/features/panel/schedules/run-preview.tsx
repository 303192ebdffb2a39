"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue } from "react";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { instantText, rhythmText } from "./model/schedule-text.ts";

/** What the chosen times mean: in words, and the next three of them as the platform counts them. */
export function RunPreview(props: { cronExpr: string; timezone: string; isReady: boolean }) {
  const trpc = useTRPC();
  const cronExpr = useDeferredValue(props.cronExpr);
  const timezone = useDeferredValue(props.timezone);
  const query = useQuery(
    trpc.schedules.preview.queryOptions(
      { cronExpr, timezone },
      { enabled: props.isReady, placeholderData: keepPreviousData },
    ),
  );
  if (!props.isReady) return null;
  return (
    <div aria-live="polite" className="rounded-md bg-raised px-3 py-2 text-xs">
      <p className="font-medium text-ink">{rhythmText(props.cronExpr)}</p>
      {query.isError ? (
        <p className="text-danger">{readProblem(query.error).sentence}</p>
      ) : (
        <p className="text-muted">
          {query.data === undefined
            ? "…"
            : `Next: ${query.data.runs.map((at) => instantText(at, timezone)).join(" · ")}`}
        </p>
      )}
    </div>
  );
}
