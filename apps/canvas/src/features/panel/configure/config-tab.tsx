"use client";
import { Activity, type KeyboardEvent, memo, useDeferredValue, useState } from "react";
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

export interface ConfigTabProps {
  workspaceId: string;
  /** It is the tab that is looked at; what lies below its fold is drawn from then on. */
  isShown: boolean;
}

/**
 * The configuration of one agent. Its parts load side by side in one request and fail each by itself;
 * everything edited is staged and applied together.
 */
export function ConfigTab({ workspaceId, isShown }: ConfigTabProps) {
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
      <Sections workspaceId={workspaceId} isShown={isShown} />
      <TeamBar workspaceId={workspaceId} />
      <DraftBar workspaceId={workspaceId} staged={staged} />
    </div>
  );
}

/**
 * All sections, from top to bottom. Those that are seen first are drawn first and the others right after
 * them, below, so that nothing moves. What is typed draws only who shows it.
 */
const Sections = memo(function Sections({ workspaceId, isShown }: ConfigTabProps) {
  const node = useNode(workspaceId);
  const isShownNow = useDeferredValue(isShown, false);
  const [isWhole, setIsWhole] = useState(false);
  if (isShownNow && !isWhole) setIsWhole(true);
  if (node === undefined) return null;
  return (
    <div className="min-h-0 flex-1 divide-y overflow-y-auto">
      <SettingsSection node={node} />
      <PluginsSection node={node} />
      <Activity mode={isWhole ? "visible" : "hidden"}>
        <SecretsSection node={node} />
        <SchedulesSection node={node} />
        <MemoriesSection node={node} />
        <HistorySection node={node} />
        <AgentCardSection workspaceId={workspaceId} />
        <DangerSection node={node} />
      </Activity>
    </div>
  );
});
