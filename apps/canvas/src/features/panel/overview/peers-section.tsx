"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import { statusView } from "../../status/status-view.ts";
import { useNodesShallow } from "../../store/node-store.tsx";
import { useWorkspaceActions } from "../../workspace-actions/use-workspace-actions.ts";
import { OverviewSection } from "./overview-section.tsx";

/** Whom the agent may speak to: its parent, its siblings and its own team, from the live store. */
export function PeersSection({ node }: { node: WorkspaceNode }) {
  const actions = useWorkspaceActions();
  const nodes = useNodesShallow((state) => Object.values(state.byId));
  const peers = [
    ...nodes
      .filter((other) => other.id === node.parentId)
      .map((other) => ({ other, relation: "leads it" })),
    ...nodes
      .filter((other) => other.parentId === node.id)
      .map((other) => ({ other, relation: "in its team" })),
    ...nodes
      .filter((other) => other.id !== node.id && other.parentId === node.parentId)
      .map((other) => ({ other, relation: "beside it" })),
  ];
  return (
    <OverviewSection title="Peers" aside="It can send them messages and tasks">
      {peers.length === 0 ? (
        <p className="text-sm text-muted">
          None yet. Agents beside it and below it can exchange messages with it.
        </p>
      ) : (
        <ul className="-mx-2 flex flex-col">
          {peers.map(({ other, relation }) => {
            const status = statusView(other);
            return (
              <li key={other.id}>
                <button
                  type="button"
                  className="flex h-8 w-full items-center gap-2 rounded-md px-2 text-left text-sm hover:bg-hover pointer-coarse:h-11"
                  onClick={() => actions.open(other.id)}
                >
                  <StatusGlyph status={status} />
                  <span className="min-w-0 truncate text-ink">{other.name}</span>
                  <span className="shrink-0 text-xs text-muted">{status.word}</span>
                  <span className="flex-1 text-right text-xs text-muted">{relation}</span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </OverviewSection>
  );
}
