"use client";
import type { ChatMessage } from "@molecule/contracts/panel";
import { type InfiniteData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useTRPCClient } from "../../../trpc/client.tsx";
import { type ReadProblem, readProblem } from "../../../trpc/problem.ts";
import { useOrganisation } from "../../store/node-store.tsx";
import type { ChatPage } from "../state/live-caches.ts";
import { useChatSender, usePanelMemory } from "../state/panel-provider.tsx";
import { CHAT_PAGE, chatKey } from "../state/query-keys.ts";
import { mergeMessages, settledTurnIds, type ThreadItem, threadItems } from "./model/thread.ts";
import type { LocalTurn } from "./model/turn.ts";

export interface Chat {
  readonly items: readonly ThreadItem[];
  /** No history yet and none has failed. */
  readonly isLoading: boolean;
  /** The newest load failed; `items` still hold what came before. */
  readonly problem: ReadProblem | null;
  readonly retryLoad: () => void;
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
  readonly loadOlder: () => void;
  /** Task of the reply that arrives right now, if its agent named one. */
  readonly taskId: string | null;
  /** Somebody waits for a reply. */
  readonly isWorking: boolean;
}

/**
 * The chat of one workspace: stored pages and this tab's open turns as one thread. While it is not
 * shown it follows no news; it catches up when it is shown again.
 */
export function useChat(workspaceId: string, isShown: boolean): Chat {
  const client = useTRPCClient();
  const sender = useChatSender();
  const turns = usePanelMemory(workspaceId, (memory) => memory.turns);
  const memberName = useOrganisation()?.member.name ?? "You";
  const query = useInfiniteQuery<
    ChatPage,
    Error,
    InfiniteData<ChatPage, number | null>,
    ReturnType<typeof chatKey>,
    number | null
  >({
    queryKey: chatKey(workspaceId),
    subscribed: isShown,
    queryFn: ({ pageParam, signal }) =>
      client.chat.history.query(
        { workspaceId, limit: CHAT_PAGE, ...(pageParam === null ? {} : { before: pageParam }) },
        { signal },
      ),
    initialPageParam: null,
    getNextPageParam: (oldest) => (oldest.hasMore ? (oldest.messages[0]?.seq ?? null) : null),
  });

  const stored = useMemo(() => storedMessages(query.data), [query.data]);
  const items = useMemo(() => threadItems(stored, turns, memberName), [stored, turns, memberName]);
  useEffect(() => {
    sender.forget(workspaceId, settledTurnIds(stored, turns));
  }, [sender, workspaceId, stored, turns]);

  return {
    items,
    isLoading: query.isPending && !query.isError,
    problem: query.error === null ? null : readProblem(query.error),
    retryLoad: () => void query.refetch(),
    hasOlder: query.hasNextPage,
    isLoadingOlder: query.isFetchingNextPage,
    loadOlder: () => void query.fetchNextPage(),
    taskId: openTaskId(turns),
    isWorking: items.some((item) => item.role === "agent" && item.state === "working"),
  };
}

function storedMessages(data: InfiniteData<ChatPage, unknown> | undefined): ChatMessage[] {
  return mergeMessages(...(data?.pages ?? []).map((page) => page.messages));
}

function openTaskId(turns: readonly LocalTurn[]): string | null {
  const open = turns.findLast((turn) => turn.reply.phase === "working" && turn.state !== "failed");
  return open?.reply.taskId ?? null;
}
