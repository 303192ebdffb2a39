"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTRPC } from "../../../trpc/client.tsx";
import { useNode } from "../../store/node-store.tsx";

/**
 * Asks again for configuration, secrets and managed files when the live node says that they are
 * others now: somebody saved, or an attempt made saved values the running ones. Never by time.
 */
export function useRefreshOnChange(workspaceId: string): void {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const mark = useNode(workspaceId);
  const state =
    mark === undefined
      ? null
      : `${mark.configVersion}/${mark.desiredGen}/${mark.appliedGen}/${mark.attempt?.readyAt ?? ""}`;
  const before = useRef(state);
  useEffect(() => {
    if (state === null || before.current === state) return;
    const isFirst = before.current === null;
    before.current = state;
    if (isFirst) return;
    const root = "/configs" as const;
    // A refresh that fails is shown by whoever reads the query.
    void queryClient.invalidateQueries(trpc.config.document.queryFilter({ workspaceId }));
    void queryClient.invalidateQueries(trpc.config.secrets.queryFilter({ workspaceId }));
    void queryClient.invalidateQueries(trpc.files.list.queryFilter({ workspaceId, root }));
    void queryClient.invalidateQueries(trpc.files.read.queryFilter({ workspaceId, root }));
  }, [queryClient, state, trpc, workspaceId]);
}
