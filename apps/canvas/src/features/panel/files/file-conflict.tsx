import { Button } from "../../../ui/button.tsx";
import { DiffView } from "../drafts/diff-view.tsx";

/** Both texts of a file that changed while it was edited here, and the choice between them. */
export function FileConflict(props: {
  theirs: string;
  mine: string;
  onKeepMine: () => void;
  onTakeTheirs: () => void;
}) {
  return (
    <div role="alert" className="flex min-h-0 flex-1 flex-col gap-3 overflow-y-auto p-4">
      <div>
        <p className="text-sm font-medium text-warn">This file changed while you edited it</p>
        <p className="text-xs text-muted">
          Removed lines are in the stored file, added lines are in your edit.
        </p>
      </div>
      <DiffView before={props.theirs} after={props.mine} />
      <div className="flex gap-2">
        <Button size="sm" variant="primary" onClick={props.onKeepMine}>
          Keep mine
        </Button>
        <Button size="sm" onClick={props.onTakeTheirs}>
          Take theirs
        </Button>
      </div>
    </div>
  );
}
