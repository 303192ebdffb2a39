"use client";
import { Plus } from "lucide-react";
import { Button } from "../../ui/button.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { FilterField } from "./rail.tsx";
import { Tree } from "./tree.tsx";

/** The home of a phone: the agents as a list. */
export function PhoneHome() {
  const actions = useWorkspaceActions();
  return (
    <div className="flex h-full flex-col bg-card pt-3">
      <FilterField />
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-24">
        <Tree isPage />
      </div>
      <div className="absolute inset-x-0 bottom-0 flex border-t bg-card p-3 pb-[calc(12px+env(safe-area-inset-bottom))]">
        <Button
          variant="primary"
          className="h-11 flex-1"
          icon={<Plus size={16} aria-hidden="true" />}
          onClick={() => actions.addUnder(null)}
        >
          New agent
        </Button>
      </div>
    </div>
  );
}
