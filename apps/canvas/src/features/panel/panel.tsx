"use client";
import { EmptyState } from "../../ui/state.tsx";
import type { PanelTab } from "../location/route.ts";

export interface PanelProps {
  workspaceId: string;
  tab: PanelTab;
}

/** Everything about one workspace: its header and its tabs. Fills the region that it is put in. */
export function Panel({ workspaceId, tab }: PanelProps) {
  return <EmptyState title={tab} detail={workspaceId} />;
}
