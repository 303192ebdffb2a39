"use client";
import type { FileRoot } from "@molecule/domain/sets";
import { useQueries } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useMemo } from "react";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { useNode } from "../../store/node-store.tsx";
import { usePanelMemory } from "../state/panel-provider.tsx";
import { type Listing, type TreeRow, treeRows } from "./model/tree.ts";

/** The visible rows of one root: each open folder is listed once and on demand. */
export function useFileTree(workspaceId: string, root: FileRoot) {
  const trpc = useTRPC();
  const isOnline = useNode(workspaceId)?.status === "online";
  const openFolders = usePanelMemory(workspaceId, (memory) => memory.openFolders[root]);
  const drafts = usePanelMemory(workspaceId, (memory) => memory.draft.files);
  const folders = useMemo(() => ["", ...(openFolders ?? [])], [openFolders]);
  const marks = useMemo(() => {
    const found: Record<string, "new" | "edited" | "deleted"> = {};
    for (const draft of Object.values(drafts)) {
      if (draft.root !== root) continue;
      found[draft.path] =
        draft.content === null ? "deleted" : draft.base === null ? "new" : "edited";
    }
    return found;
  }, [drafts, root]);
  const queries = useQueries({
    queries: folders.map((path) =>
      trpc.files.list.queryOptions(
        { workspaceId, root, path, depth: 1 },
        // The agent writes live roots whenever it likes: a listing is fresh for one look.
        { staleTime: root === "/configs" ? Number.POSITIVE_INFINITY : 0, retry: false },
      ),
    ),
  });
  // A root that could not be reached is tried again once the agent is back.
  const retryFailed = useEffectEvent(() => {
    for (const query of queries) if (query.isError) void query.refetch();
  });
  useEffect(() => {
    if (isOnline) retryFailed();
  }, [isOnline]);
  const listings: Record<string, Listing> = {};
  for (const [index, folder] of folders.entries()) {
    const query = queries[index];
    if (query?.data !== undefined) {
      listings[folder] = {
        kind: "ready",
        entries: query.data.entries,
        truncated: query.data.truncated,
      };
    } else if (query?.isError) {
      listings[folder] = isDraftFolder(folder, marks)
        ? { kind: "ready", entries: [], truncated: false }
        : { kind: "failed", sentence: readProblem(query.error).sentence };
    }
  }
  const rows: TreeRow[] = treeRows({ listings, open: new Set(openFolders ?? []), marks });
  const rootQuery = queries[0];
  return {
    rows,
    rootProblem:
      rootQuery?.isError && rootQuery.data === undefined ? readProblem(rootQuery.error) : null,
    isLoadingRoot: rootQuery?.isPending ?? true,
    isRefreshing: queries.some((query) => query.isFetching),
    refresh: () => void Promise.all(queries.map((query) => query.refetch())),
  };
}

/** A folder that only new files of the draft would make is not on the server yet. */
function isDraftFolder(folder: string, marks: Readonly<Record<string, string>>): boolean {
  return Object.entries(marks).some(
    ([path, mark]) => mark === "new" && path.startsWith(`${folder}/`),
  );
}
