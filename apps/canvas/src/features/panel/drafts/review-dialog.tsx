"use client";
import { Button } from "../../../ui/button.tsx";
import { Dialog } from "../../../ui/dialog.tsx";
import { ChangeView } from "./change-view.tsx";
import { APPLY_CHOICE } from "./staged-save.ts";
import type { Staged } from "./use-staged-draft.ts";

/** Every staged change: what is saved now, and what would be. */
export function ReviewDialog(props: {
  staged: Staged;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
}) {
  const { staged, isOpen, onOpenChange } = props;
  const { usual, needsRestart } = staged;
  return (
    <Dialog
      open={isOpen}
      onOpenChange={onOpenChange}
      className="max-w-[640px]"
      title="Review changes"
      description={
        needsRestart
          ? `All of it is saved by one request. ${APPLY_CHOICE[usual].effect}`
          : "All of it is saved by one request; nothing restarts."
      }
      footer={
        <>
          <Button onClick={() => onOpenChange(false)}>Keep editing</Button>
          <Button
            variant="primary"
            isBusy={staged.isSaving}
            disabled={staged.hasConflict}
            onClick={() => {
              onOpenChange(false);
              staged.apply(usual);
            }}
          >
            {needsRestart ? APPLY_CHOICE[usual].verb : APPLY_CHOICE.settle.verb}
          </Button>
        </>
      }
    >
      <ul className="flex flex-col gap-4">
        {staged.changes.map(({ key, kind, label, current, mine, isConflict }) => (
          <li key={key}>
            <ChangeView
              label={label}
              kind={kind}
              before={current}
              after={mine}
              isConflict={isConflict}
              {...(kind === "secret" ? { note: secretNote(mine) } : {})}
            />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

const secretNote = (mine: string) =>
  mine === "removed" ? "Removed" : "Gets a new value; values are never shown.";
