"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { Pencil } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { IconButton } from "../../../ui/button.tsx";
import { Input } from "../../../ui/field.tsx";
import { useWorkspaceActions } from "../../workspace-actions/use-workspace-actions.ts";
import { useFocusOnOpen } from "./use-focus-on-open.ts";

/** The name as the panel's heading; a click on the pencil, or a double click, makes it a field. */
export function PanelName({ node, headingId }: { node: WorkspaceNode; headingId: string }) {
  const actions = useWorkspaceActions();
  const heading = useRef<HTMLHeadingElement>(null);
  const [draft, setDraft] = useState<string | null>(null);
  useFocusOnOpen(heading, node.id);

  const save = () => {
    if (draft !== null) void actions.rename(node.id, draft);
    setDraft(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") save();
    if (event.key !== "Escape") return;
    event.stopPropagation();
    setDraft(null);
  };
  if (draft !== null) {
    return (
      <Input
        aria-label="Name"
        autoFocus
        value={draft}
        maxLength={255}
        onChange={(event) => setDraft(event.target.value)}
        onFocus={(event) => event.target.select()}
        onBlur={save}
        onKeyDown={onKeyDown}
        className="min-w-0 flex-1 text-md font-semibold"
      />
    );
  }
  return (
    <div className="group flex min-w-0 flex-1 items-center gap-1">
      <h2
        ref={heading}
        id={headingId}
        tabIndex={-1}
        title={node.name}
        onDoubleClick={() => setDraft(node.name)}
        className="min-w-0 truncate text-md font-semibold text-ink focus-visible:outline-offset-1"
      >
        {node.name}
      </h2>
      <IconButton
        label="Rename"
        size="sm"
        className="opacity-0 group-hover:opacity-100 focus-visible:opacity-100 pointer-coarse:hidden"
        onClick={() => setDraft(node.name)}
      >
        <Pencil size={13} aria-hidden="true" />
      </IconButton>
    </div>
  );
}
