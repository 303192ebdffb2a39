import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { QueryClient } from "@tanstack/react-query";
import type { useTRPC } from "../../../trpc/client.tsx";
import { ledgerKey } from "./query-keys.ts";

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
  void queryClient.invalidateQueries(trpc.config.history.queryFilter({ workspaceId }));
  void queryClient.invalidateQueries(trpc.files.list.queryFilter({ workspaceId, root }));
  void queryClient.invalidateQueries(trpc.files.read.queryFilter({ workspaceId, root }));
}

/** The workspaces whose ledger says more than before: another status, or an attempt that went on. */
export function changedLedgers(before: Nodes, now: Nodes): string[] {
  return Object.values(now).flatMap((node) => {
    const known = before[node.id];
    if (known === undefined || known === node) return [];
    return ledgerMark(known) === ledgerMark(node) ? [] : [node.id];
  });
}

/** Marks what is cached of a workspace's ledger as stale; what is on screen is asked for again. */
export function markLedgerStale(queryClient: QueryClient, workspaceId: string): void {
  // A refresh that fails is shown by whoever reads the query.
  void queryClient.invalidateQueries({ queryKey: ledgerKey(workspaceId) });
}

/** Stages come with the node itself; of them only the one in which the instance is known counts here. */
function ledgerMark({ status, attempt }: WorkspaceNode): string {
  if (attempt === null) return status;
  const { no, stage, outcome, readyAt, endedAt, detail } = attempt;
  const hasInstance = stage === "booting" || stage === "first_heartbeat";
  const carried = detail.merged.reduce((sum, change) => sum + change.count, 0);
  const marks = [no, hasInstance, outcome, readyAt, endedAt, carried, detail.absorbed.length];
  return `${status}/${marks.join("/")}`;
}

function configurationMark(node: WorkspaceNode): string {
  return `${node.configVersion}/${node.desiredGen}/${node.appliedGen}/${node.effectiveModel ?? ""}`;
}
