import type { QueryClient } from "@tanstack/react-query";
import type { useTRPC } from "../../../trpc/client.tsx";
import { prefetchAtOnce } from "../../../trpc/read-at-once.ts";

type Trpc = Pick<ReturnType<typeof useTRPC>, "config" | "schedules" | "memories">;

/** Fetches what Configure opens with, in one request that leaves at once; as {@link prefetchAtOnce}. */
export async function prefetchConfigure(
  queryClient: QueryClient,
  trpc: Trpc,
  workspaceId: string,
): Promise<void> {
  await prefetchAtOnce(queryClient, [
    trpc.config.document.queryOptions({ workspaceId }),
    trpc.config.secrets.queryOptions({ workspaceId }),
    trpc.schedules.list.queryOptions({ workspaceId }),
    trpc.memories.list.queryOptions({ workspaceId, text: "" }),
  ]);
}
