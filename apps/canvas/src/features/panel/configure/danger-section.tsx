"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { Trash2 } from "lucide-react";
import { Button } from "../../../ui/button.tsx";
import { useWorkspaceActions } from "../../workspace-actions/use-workspace-actions.ts";

/** What cannot be taken back. */
export function DangerSection({ node }: { node: WorkspaceNode }) {
  const actions = useWorkspaceActions();
  return (
    <section aria-labelledby="danger-heading" className="flex items-center gap-4 p-4">
      <div className="min-w-0 flex-1">
        <h3 id="danger-heading" className="text-sm font-medium text-ink">
          Delete this agent
        </h3>
        <p className="text-xs text-muted">
          Its files, secrets and history go with it. What else would go is listed first.
        </p>
      </div>
      <Button
        className="text-danger"
        icon={<Trash2 size={14} aria-hidden="true" />}
        onClick={() => actions.askRemove(node.id)}
      >
        Delete
      </Button>
    </section>
  );
}
