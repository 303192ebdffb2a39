"use client";
import type { RestartRequestView } from "@molecule/contracts/ledger";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useTRPCClient } from "../../../trpc/client.tsx";
import { PagedRows } from "../paged-rows.tsx";
import { ledgerKey } from "../state/query-keys.ts";
import { RestartRequests } from "./restart-requests.tsx";

/** Rows per page. */
const PAGE = 5;

/** What asked for a restart and got none of its own, quietly; nothing while there was no such thing. */
export function RestartsNotDone(props: { workspaceId: string; isShown: boolean }) {
  const { workspaceId, isShown } = props;
  const client = useTRPCClient();
  const headingId = useId();
  const query = useInfiniteQuery({
    queryKey: [...ledgerKey(workspaceId), "requests"],
    queryFn: ({ pageParam, signal }): Promise<RestartRequestView[]> =>
      client.workspaces.restartRequests.query(
        { id: workspaceId, limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) },
        { signal },
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.length < PAGE ? null : (page.at(-1)?.id ?? null)),
    enabled: isShown,
  });
  const rows = query.data?.pages.flat() ?? [];
  if (rows.length === 0 && !query.isError) return null;
  return (
    <section aria-labelledby={headingId} className="mt-1 flex flex-col gap-2">
      <h4 id={headingId} className="text-xs font-medium text-muted">
        Asked for, not restarted
      </h4>
      <PagedRows
        query={query}
        failed="What was not restarted could not be loaded."
        more="Show earlier"
        isQuiet
        rows={<RestartRequests rows={rows} />}
      />
    </section>
  );
}
