"use client";
import type { AppRouter } from "@molecule/api";
import { notifyManager, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchStreamLink, type TRPCClient } from "@trpc/client";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import { type ReactNode, useState } from "react";
import { TRPC_PATH } from "../features/session/boot-script.ts";
import { readProblem } from "./problem.ts";

const context = createTRPCContext<AppRouter>();

/** The procedures as query and mutation options: `useQuery(useTRPC().files.list.queryOptions(…))`. */
export const useTRPC = context.useTRPC;
/** The bare client, for calls outside a query: `useTRPCClient().workspaces.restart.mutate(…)`. */
export const useTRPCClient = context.useTRPCClient;
export type Client = TRPCClient<AppRouter>;

/** Attempts after a failed read; only a platform that is briefly away is asked again. */
const MAX_READ_RETRIES = 2;

function createQueryClient(): QueryClient {
  // What comes in one answer is drawn at once and together, not by timers that wait for frames.
  notifyManager.setScheduler(queueMicrotask);
  return new QueryClient({
    defaultOptions: {
      queries: {
        // Events say when something is stale; nothing is asked again because a minute went by.
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 10 * 60_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        retry: (count, error) => count < MAX_READ_RETRIES && readProblem(error).isTemporary,
      },
      mutations: { retry: false },
    },
  });
}

/** The one tRPC client and the one query cache of the page. */
export function ApiProvider({ children }: { children: ReactNode }) {
  const [queryClient] = useState(createQueryClient);
  const [client] = useState(() =>
    createTRPCClient<AppRouter>({ links: [httpBatchStreamLink({ url: TRPC_PATH })] }),
  );
  return (
    <QueryClientProvider client={queryClient}>
      <context.TRPCProvider trpcClient={client} queryClient={queryClient}>
        {children}
      </context.TRPCProvider>
    </QueryClientProvider>
  );
}
