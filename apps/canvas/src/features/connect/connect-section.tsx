"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { connectProgress, isConnected } from "@molecule/domain/connect-steps";
import { Button } from "../../ui/button.tsx";
import { OverviewSection } from "../panel/overview/overview-section.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { ConnectChecklist } from "./connect-checklist.tsx";

/** The checklist on the panel of an agent that runs elsewhere, until nothing is missing. */
export function ConnectSection({ node }: { node: WorkspaceNode }) {
  const actions = useWorkspaceActions();
  const { connect } = node;
  if (connect === null || isConnected(connect)) return null;
  const { done, count } = connectProgress(connect);
  return (
    <OverviewSection title="Connection" aside={`${done} of ${count} done`}>
      <ConnectChecklist connect={connect} />
      <div className="flex flex-wrap gap-2 pt-1">
        {connect.tokenAt === null ? null : (
          <Button size="sm" onClick={() => actions.showConnection(node.id)}>
            Show snippets
          </Button>
        )}
        {connect.firstBeatAt !== null && connect.firstMessageAt === null ? (
          <Button size="sm" onClick={() => actions.open(node.id, "chat")}>
            Write to it
          </Button>
        ) : null}
        <Button size="sm" onClick={() => actions.askRotate(node.id)}>
          Rotate token…
        </Button>
      </div>
    </OverviewSection>
  );
}
