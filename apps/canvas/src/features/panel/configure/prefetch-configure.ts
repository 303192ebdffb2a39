import type { QueryClient } from "@tanstack/react-query";
import type { useTRPC } from "../../../trpc/client.tsx";

type Trpc = Pick<ReturnType<typeof useTRPC>, "config" | "schedules" | "memories">;

/**
 * Fetches what Configure opens with, in one request; what is cached already is not asked for again. A
 * failure is left for the time it is opened.
 */
export function prefetchConfigure(queryClient: QueryClient, trpc: Trpc, workspaceId: string): void {
  void queryClient.prefetchQuery(trpc.config.document.queryOptions({ workspaceId }));
  void queryClient.prefetchQuery(trpc.config.secrets.queryOptions({ workspaceId }));
  void queryClient.prefetchQuery(trpc.schedules.list.queryOptions({ workspaceId }));
  void queryClient.prefetchQuery(trpc.memories.list.queryOptions({ workspaceId, text: "" }));
}
