"use client";
import type { PluginView } from "@molecule/contracts/plugins";
import { Blocks } from "lucide-react";
import { Badge } from "../../../ui/badge.tsx";
import { Button } from "../../../ui/button.tsx";
import type { PluginDraft } from "../drafts/plugin-draft.ts";

export interface PluginRowProps {
  name: string;
  /** Null for one that is staged only. */
  plugin: PluginView | null;
  /** What runs is known, and ours to restart. */
  showsRunning: boolean;
  /** Undefined when nothing is staged for it. */
  draft: PluginDraft | undefined;
  onUninstall: () => void;
  onUndo: () => void;
}

/** One plugin: what it is, where it is from, whether the agent can use it, and what becomes of it. */
export function PluginRow(props: PluginRowProps) {
  const { name, plugin, showsRunning, draft, onUninstall, onUndo } = props;
  const shown = draft?.next?.plugin ?? plugin;
  const support = draft?.next ?? plugin;
  return (
    <li className="flex flex-col gap-1 px-3 py-2">
      <div className="flex min-h-7 flex-wrap items-center gap-2">
        <Blocks size={14} className="shrink-0 text-muted" aria-hidden="true" />
        <span className="min-w-40 flex-1 text-sm text-ink [overflow-wrap:anywhere]">
          {name} <span className="text-muted">{shown?.version}</span>
        </span>
        <PluginState plugin={plugin} showsRunning={showsRunning} draft={draft} />
        {draft === undefined ? (
          <Button size="sm" variant="ghost" aria-label={`Uninstall ${name}`} onClick={onUninstall}>
            Uninstall
          </Button>
        ) : (
          <Button size="sm" variant="ghost" aria-label={`Undo ${name}`} onClick={onUndo}>
            Undo
          </Button>
        )}
      </div>
      {shown === null ? null : (
        <div className="flex flex-col gap-0.5 pl-5.5 text-xs text-muted">
          {shown.description === "" ? null : <p>{shown.description}</p>}
          <p className="font-mono [overflow-wrap:anywhere]" title={`sha256 ${shown.sha256}`}>
            {shown.source}
          </p>
          {shown.isPinned ? null : (
            <p className="text-warn">
              Not pinned: the same address may be another plugin tomorrow.
            </p>
          )}
          {support === null || support.isSupported ? null : (
            <p className="text-warn">
              It is {support.support}. It will be there and may do nothing.
            </p>
          )}
        </div>
      )}
    </li>
  );
}

function PluginState({
  plugin,
  showsRunning,
  draft,
}: Pick<PluginRowProps, "plugin" | "showsRunning" | "draft">) {
  if (draft?.next === null) return <Badge tone="warn">will be removed</Badge>;
  if (draft?.next !== undefined) {
    return (
      <Badge tone="info">
        {draft.base === null ? "will be installed" : `instead of ${draft.base.version}`}
      </Badge>
    );
  }
  if (plugin === null) return null;
  if (showsRunning && !plugin.isRunning) {
    return (
      <Badge tone="info">
        {plugin.runningVersion === null ? "not running yet" : `${plugin.runningVersion} still runs`}
      </Badge>
    );
  }
  return plugin.isSupported ? <Badge>{plugin.support}</Badge> : null;
}
