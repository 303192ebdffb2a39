"use client";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTRPCClient } from "../../../trpc/client.tsx";
import { PagedRows } from "../paged-rows.tsx";
import { ledgerKey } from "../state/query-keys.ts";
import { AttemptRow } from "./attempt-row.tsx";
import { mergeAttempts } from "./model/attempts.ts";
import { OverviewSection } from "./overview-section.tsx";
import { RestartsNotDone } from "./restarts-not-done.tsx";

/** Attempts per page. */
const PAGE = 10;

/** Every start and restart with its reason, and what was asked for and not done. */
export function AttemptsSection({ node, isShown }: { node: WorkspaceNode; isShown: boolean }) {
  return (
    <OverviewSection title="Starts and restarts">
      {node.backend === "external" ? (
        <p className="text-sm text-muted">
          This agent runs elsewhere. The platform does not start or stop it.
        </p>
      ) : (
        <AttemptList node={node} isShown={isShown} />
      )}
      <RestartsNotDone workspaceId={node.id} isShown={isShown} />
    </OverviewSection>
  );
}

/** The newest attempt comes from the live node, the others are loaded by the page. */
function AttemptList({ node, isShown }: { node: WorkspaceNode; isShown: boolean }) {
  const client = useTRPCClient();
  const query = useInfiniteQuery({
    queryKey: [...ledgerKey(node.id), "attempts"],
    queryFn: ({ pageParam, signal }): Promise<AttemptView[]> =>
      client.workspaces.attempts.query(
        { id: node.id, limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) },
        { signal },
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.length < PAGE ? null : (page.at(-1)?.no ?? null)),
    enabled: isShown,
  });
  const attempts = useMemo(
    () => mergeAttempts(query.data?.pages.flat() ?? [], node.attempt),
    [query.data, node.attempt],
  );
  return (
    <PagedRows
      query={query}
      failed="Earlier attempts could not be loaded."
      empty="It has not been started yet."
      more="Older"
      rows={
        attempts.length === 0 ? null : (
          <ol className="flex flex-col">
            {attempts.map((attempt) => (
              <AttemptRow key={attempt.no} node={node} attempt={attempt} />
            ))}
          </ol>
        )
      }
    />
  );
}
