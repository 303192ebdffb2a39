"use client";
import type { FetchedPlugin } from "@molecule/contracts/plugins";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTRPCClient } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";

interface Wanted {
  readonly source: string;
  /** Empty: whatever it is. */
  readonly sha256: string;
}

/** Fetching one plugin after the other; the platform checks it and keeps it for the save. */
export function useFetchPlugin(workspaceId: string, onFetched: (fetched: FetchedPlugin) => void) {
  const client = useTRPCClient();
  const running = useRef<AbortController | null>(null);
  const [isCancelled, setIsCancelled] = useState(false);
  const fetch = useMutation({
    mutationFn: async ({ source, sha256 }: Wanted) => {
      const controller = new AbortController();
      running.current = controller;
      const checksum = sha256.trim() === "" ? {} : { sha256 };
      return await client.plugins.fetch.mutate(
        { workspaceId, source, ...checksum },
        { signal: controller.signal },
      );
    },
    onSuccess: (fetched) => onFetched(fetched),
  });
  return {
    /** Source that is being fetched; null: none. */
    pending: fetch.isPending ? fetch.variables.source : null,
    problem: fetch.error === null || isCancelled ? null : readProblem(fetch.error),
    startedAt: fetch.isPending ? fetch.submittedAt : null,
    start: (wanted: Wanted) => {
      setIsCancelled(false);
      fetch.mutate(wanted);
    },
    cancel: () => {
      setIsCancelled(true);
      running.current?.abort();
    },
  };
}
