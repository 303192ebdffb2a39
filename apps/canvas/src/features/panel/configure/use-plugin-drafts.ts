"use client";
import type { FetchedPlugin, InstalledPlugin } from "@molecule/contracts/plugins";
import {
  type PluginDrafts,
  stageInstall,
  stageUninstall,
  undoPlugin,
} from "../drafts/plugin-draft.ts";
import { usePanelMemory, useUpdateMemory } from "../state/panel-provider.tsx";

/** The staged plugins of a workspace, and how one is staged over those that are installed. */
export function usePluginDrafts(workspaceId: string, installed: readonly InstalledPlugin[]) {
  const drafts = usePanelMemory(workspaceId, (memory) => memory.draft.plugins);
  const update = useUpdateMemory(workspaceId);
  const change = (next: (drafts: PluginDrafts) => PluginDrafts) =>
    update((memory) => ({
      ...memory,
      draft: { ...memory.draft, plugins: next(memory.draft.plugins) },
    }));
  return {
    drafts,
    install: (fetched: FetchedPlugin) => change((all) => stageInstall(all, installed, fetched)),
    uninstall: (name: string) => change((all) => stageUninstall(all, installed, name)),
    undo: (name: string) => change((all) => undoPlugin(all, name)),
  };
}
