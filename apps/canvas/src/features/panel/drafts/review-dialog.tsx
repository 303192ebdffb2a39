"use client";
import { Button } from "../../../ui/button.tsx";
import { Dialog } from "../../../ui/dialog.tsx";
import { DiffView } from "./diff-view.tsx";
import type { StagedChange } from "./staged-save.ts";
import type { Staged } from "./use-staged-draft.ts";

/** A value longer than this, or of several lines, is compared line by line. */
const INLINE_CHARS = 60;

/** Every staged change: what is saved now, and what would be. */
export function ReviewDialog(props: {
  staged: Staged;
  /** One of the changes is part of what the agent is started with. */
  needsRestart: boolean;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
}) {
  const { staged, needsRestart, isOpen, onOpenChange } = props;
  return (
    <Dialog
      open={isOpen}
      onOpenChange={onOpenChange}
      className="max-w-[640px]"
      title="Review changes"
      description={
        needsRestart
          ? "All of it is saved by one request and reaches the agent with one restart."
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
              staged.apply();
            }}
          >
            Apply
          </Button>
        </>
      }
    >
      <ul className="flex flex-col gap-4">
        {staged.changes.map((change) => (
          <li key={change.key}>
            <Change change={change} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

const KINDS = { setting: "Setting", file: "File", secret: "Secret" } as const;

function Change({ change }: { change: StagedChange }) {
  return (
    <section className="flex flex-col gap-1.5">
      <h3 className="flex items-baseline gap-2 text-sm">
        <span className={change.kind === "setting" ? "font-medium" : "font-mono text-xs"}>
          {change.label}
        </span>
        <span className="text-xs text-muted">{KINDS[change.kind]}</span>
        {change.isConflict ? (
          <span className="text-xs text-warn">changed elsewhere meanwhile</span>
        ) : null}
      </h3>
      {change.kind === "secret" ? (
        <p className="text-sm text-muted">
          {change.mine === "removed" ? "Removed" : "Gets a new value; values are never shown."}
        </p>
      ) : isInline(change) ? (
        <p className="flex flex-wrap items-baseline gap-2 text-sm">
          <span className="text-muted line-through">{shown(change.current)}</span>
          <span aria-label="becomes" role="img">
            →
          </span>
          <span className="text-ink">{shown(change.mine)}</span>
        </p>
      ) : (
        <DiffView before={change.current} after={change.mine} />
      )}
    </section>
  );
}

function isInline({ kind, current, mine }: StagedChange): boolean {
  const isShort = (text: string) => text.length <= INLINE_CHARS && !text.includes("\n");
  return kind === "setting" && isShort(current) && isShort(mine);
}

const shown = (value: string) => (value === "" ? "not set" : value);
