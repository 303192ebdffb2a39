"use client";
import type { ConfigDocument } from "@molecule/contracts/panel";
import { Button } from "../../../ui/button.tsx";
import {
  type ConfigDraft,
  type ConfigField,
  configChanges,
  keepMine,
  revertField,
} from "../drafts/config-draft.ts";
import { DiffView } from "../drafts/diff-view.tsx";
import { usePanelMemory, useUpdateMemory } from "../state/panel-provider.tsx";

/** Shown under a field that somebody else changed since it was edited here: both values, and the choice. */
export function FieldConflict(props: {
  workspaceId: string;
  document: ConfigDocument;
  field: ConfigField;
}) {
  const { workspaceId, document, field } = props;
  const draft = usePanelMemory(workspaceId, (memory) => memory.draft.config);
  const update = useUpdateMemory(workspaceId);
  const change = configChanges(draft, document.desired).find((each) => each.field === field);
  if (change === undefined || !change.isConflict) return null;
  const decide = (next: (config: ConfigDraft) => ConfigDraft) =>
    update((memory) => ({
      ...memory,
      draft: { ...memory.draft, config: next(memory.draft.config) },
    }));
  const theirs = String(change.current ?? "not set");
  const mine = String(change.mine ?? "not set");
  const isLong = theirs.length > 80 || mine.length > 80 || theirs.includes("\n");
  return (
    <div
      role="alert"
      className="mt-2 flex flex-col gap-2 rounded-lg bg-warn-tint px-3 py-2 text-xs"
    >
      <p className="text-ink">
        <span className="font-medium text-warn">Changed elsewhere meanwhile.</span>{" "}
        {isLong ? "Saved now, and yours:" : `Saved now: ${theirs}. Yours: ${mine}.`}
      </p>
      {isLong ? <DiffView before={theirs} after={mine} /> : null}
      <div className="flex gap-2">
        <Button
          size="sm"
          onClick={() => decide((config) => keepMine(config, document.desired, field))}
        >
          Keep mine
        </Button>
        <Button size="sm" onClick={() => decide((config) => revertField(config, field))}>
          Take theirs
        </Button>
      </div>
    </div>
  );
}
