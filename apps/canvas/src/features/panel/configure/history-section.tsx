"use client";
import type { GenerationView } from "@molecule/contracts/generations";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTRPC, useTRPCClient } from "../../../trpc/client.tsx";
import { Badge } from "../../../ui/badge.tsx";
import { Button } from "../../../ui/button.tsx";
import { Ago } from "../../clock/moving-time.tsx";
import { PagedRows } from "../paged-rows.tsx";
import { GenerationDialog } from "./generation-dialog.tsx";
import { generationState } from "./history-text.ts";

/** Generations per page. */
const PAGE = 10;

/** What was saved, by whom and when, and the way back. Loaded when it is opened. */
export function HistorySection({ node }: { node: WorkspaceNode }) {
  const [isOpen, setIsOpen] = useState(false);
  if (node.backend === "external") return null;
  return (
    <section aria-labelledby="history-heading" className="flex flex-col gap-3 p-4">
      <div className="flex items-start gap-4">
        <div className="min-w-0 flex-1">
          <h3 id="history-heading" className="text-sm font-medium text-ink">
            History
          </h3>
          <p className="text-xs text-muted">
            Everything that was saved, with who, when and what. Any of it can be rolled back to.
          </p>
        </div>
        <Button size="sm" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? "Hide" : "Show"}
        </Button>
      </div>
      {isOpen ? <GenerationList node={node} /> : null}
    </section>
  );
}

function GenerationList({ node }: { node: WorkspaceNode }) {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const [openGen, setOpenGen] = useState<number | null>(null);
  const query = useInfiniteQuery({
    // Below the key of the router, so that whatever makes the configuration stale makes this stale.
    queryKey: [...trpc.config.history.queryKey({ workspaceId: node.id }), "pages"],
    queryFn: ({ pageParam, signal }) =>
      client.config.history.query(
        {
          workspaceId: node.id,
          limit: PAGE,
          ...(pageParam === null ? {} : { before: pageParam }),
        },
        { signal },
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.hasMore ? (page.rows.at(-1)?.gen ?? null) : null),
  });
  const rows = query.data?.pages.flatMap((page) => page.rows) ?? [];
  return (
    <>
      <PagedRows
        query={query}
        failed="The history could not be loaded."
        more="Older"
        rows={
          rows.length === 0 ? null : (
            <ol className="divide-y rounded-lg border">
              {rows.map((row) => (
                <li key={row.gen}>
                  <GenerationRow row={row} onOpen={() => setOpenGen(row.gen)} />
                </li>
              ))}
            </ol>
          )
        }
      />
      <GenerationDialog node={node} gen={openGen} onClose={() => setOpenGen(null)} />
    </>
  );
}

function GenerationRow({ row, onOpen }: { row: GenerationView; onOpen: () => void }) {
  const state = generationState(row);
  return (
    <button
      type="button"
      onClick={onOpen}
      className="flex min-h-11 w-full items-center gap-3 px-3 py-2 text-left hover:bg-hover"
    >
      <span className="w-8 shrink-0 font-mono text-xs text-muted tabular-nums">{row.gen}</span>
      <span className="min-w-0 flex-1">
        <span className="block truncate text-sm text-ink first-letter:uppercase">
          {row.rolledBackTo === null ? row.summary : `Rolled back to ${row.rolledBackTo}`}
        </span>
        <span className="block text-xs text-muted">
          {row.actor.name} · <Ago atMs={Date.parse(row.at)} />
        </span>
      </span>
      {state === null ? null : <Badge tone={state.tone}>{state.text}</Badge>}
    </button>
  );
}
