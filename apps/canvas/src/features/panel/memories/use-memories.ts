"use client";
import type { ShownMemory } from "@molecule/contracts/shown-memories";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { toast } from "sonner";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { useStreamEvents } from "../../session/connection.tsx";
import { memoryTitle } from "./model/memory-text.ts";

/** What an agent keeps it keeps in a task, so the list is asked for again when one begins or ends. */
const TELLING = "TASK_UPDATED";
/** How long somebody has stopped writing before it is looked for. */
const QUIET_MS = 250;

/** The memories that an agent reads: the newest, or what is found for a text. */
export function useMemories(workspaceId: string, text: string) {
  const trpc = useTRPC();
  const refresh = useRefreshMemories(workspaceId);
  useStreamEvents((events) => {
    const isTold = events.some((one) => one.workspace_id === workspaceId && one.event === TELLING);
    if (isTold) refresh();
  });
  const settled = useSettled(text.trim());
  const query = useQuery(
    trpc.memories.list.queryOptions(
      { workspaceId, text: settled },
      { placeholderData: keepPreviousData },
    ),
  );
  return { query, asked: settled };
}

/** Forgets one of the agent's own. */
export function useForgetMemory(workspaceId: string) {
  const trpc = useTRPC();
  const refresh = useRefreshMemories(workspaceId);
  return useMutation(
    trpc.memories.remove.mutationOptions({
      onSettled: refresh,
      onError: (error) => {
        const { sentence, next } = readProblem(error);
        toast.error("The memory was not deleted", {
          description: next === undefined ? sentence : `${sentence} ${next}`,
        });
      },
    }),
  );
}

/** What is said once one is gone. */
export function tellForgotten(memory: ShownMemory): void {
  toast(`“${memoryTitle(memory.content)}” is forgotten`);
}

function useRefreshMemories(workspaceId: string): () => void {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return () => {
    void queryClient.invalidateQueries(trpc.memories.list.queryFilter({ workspaceId }));
  };
}

/** The value once it has not changed for a moment; an empty one at once. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), value === "" ? 0 : QUIET_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
