import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { QueryClient } from "@tanstack/react-query";
import type { useTRPC } from "../../../trpc/client.tsx";

type Trpc = Pick<ReturnType<typeof useTRPC>, "config" | "files">;
type Nodes = Readonly<Record<string, WorkspaceNode>>;

/** The workspaces whose saved or running configuration is another one than before. */
export function changedConfigurations(before: Nodes, now: Nodes): string[] {
  return Object.values(now).flatMap((node) => {
    const known = before[node.id];
    if (known === undefined || known === node) return [];
    return configurationMark(known) === configurationMark(node) ? [] : [node.id];
  });
}

/**
 * Marks what is cached of a workspace's configuration, secrets and managed files as stale. What is on
 * screen is asked for again at once and in one request, the rest when it is next looked at.
 */
export function markStale(queryClient: QueryClient, trpc: Trpc, workspaceId: string): void {
  const root = "/configs" as const;
  // A refresh that fails is shown by whoever reads the query.
  void queryClient.invalidateQueries(trpc.config.document.queryFilter({ workspaceId }));
  void queryClient.invalidateQueries(trpc.config.secrets.queryFilter({ workspaceId }));
  void queryClient.invalidateQueries(trpc.files.list.queryFilter({ workspaceId, root }));
  void queryClient.invalidateQueries(trpc.files.read.queryFilter({ workspaceId, root }));
}

function configurationMark(node: WorkspaceNode): string {
  return `${node.configVersion}/${node.desiredGen}/${node.appliedGen}/${node.effectiveModel ?? ""}`;
}
