"use client";
import { ConnectSection } from "../../connect/connect-section.tsx";
import { useNode } from "../../store/node-store.tsx";
import { AgentCardSection } from "./agent-card-section.tsx";
import { AttemptsSection } from "./attempts-section.tsx";
import { FactsSection } from "./facts-section.tsx";
import { PeersSection } from "./peers-section.tsx";
import { SchedulesSummary } from "./schedules-summary.tsx";
import { StatusStripSection } from "./status-strip-section.tsx";

export interface OverviewTabProps {
  workspaceId: string;
  /** Nothing is asked for while another tab is shown. */
  isShown: boolean;
}

/** How the agent is and was, who it is, and whom it works with. Each part stands by itself. */
export function OverviewTab({ workspaceId, isShown }: OverviewTabProps) {
  const node = useNode(workspaceId);
  if (node === undefined) return null;
  return (
    <div className="h-full divide-y overflow-y-auto">
      <ConnectSection node={node} />
      <StatusStripSection workspaceId={workspaceId} isShown={isShown} />
      <AttemptsSection node={node} isShown={isShown} />
      <SchedulesSummary workspaceId={workspaceId} isShown={isShown} />
      <AgentCardSection workspaceId={workspaceId} />
      <PeersSection node={node} />
      <FactsSection node={node} />
    </div>
  );
}
