"use client";
import type { KeyboardEvent } from "react";
import { useNode } from "../../store/node-store.tsx";
import { DraftBar } from "../drafts/draft-bar.tsx";
import { TeamBar } from "../drafts/team-bar.tsx";
import { useStagedDraft } from "../drafts/use-staged-draft.ts";
import { MemoriesSection } from "../memories/memories-section.tsx";
import { AgentCardSection } from "../overview/agent-card-section.tsx";
import { SchedulesSection } from "../schedules/schedules-section.tsx";
import { DangerSection } from "./danger-section.tsx";
import { HistorySection } from "./history-section.tsx";
import { PluginsSection } from "./plugins-section.tsx";
import { SecretsSection } from "./secrets-section.tsx";
import { SettingsSection } from "./settings-section.tsx";

/**
 * The configuration of one agent. Its parts load side by side in one request and fail each by itself;
 * everything edited is staged and applied together.
 */
export function ConfigTab({ workspaceId }: { workspaceId: string }) {
  const node = useNode(workspaceId);
  const staged = useStagedDraft(workspaceId);
  if (node === undefined) return null;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (staged.changes.length > 0 && !staged.hasConflict && !staged.isSaving) staged.apply();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the shortcut of the whole tab.
    <div className="flex h-full min-h-0 flex-col" onKeyDown={onKeyDown}>
      <div className="min-h-0 flex-1 divide-y overflow-y-auto">
        <SettingsSection node={node} />
        <PluginsSection node={node} />
        <SecretsSection node={node} />
        <SchedulesSection node={node} />
        <MemoriesSection node={node} />
        <HistorySection node={node} />
        <AgentCardSection workspaceId={workspaceId} />
        <DangerSection node={node} />
      </div>
      <TeamBar workspaceId={workspaceId} />
      <DraftBar workspaceId={workspaceId} staged={staged} />
    </div>
  );
}
