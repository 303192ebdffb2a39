"use client";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "../../../ui/button.tsx";
import { FIELDS_WITHOUT_RESTART } from "./config-draft.ts";
import { ReviewDialog } from "./review-dialog.tsx";
import { stagedSentence } from "./staged-save.ts";
import type { SaveOutcome, Staged } from "./use-staged-draft.ts";

/** How long the bar says what a save did. */
const OUTCOME_SHOWN_MS = 6_000;

/**
 * The staged changes of a workspace in one line, with what can be done about them. Absent while
 * nothing is staged. The same bar stands under Files and under Configure.
 */
export function DraftBar({ staged }: { staged: Staged }) {
  const [isReviewing, setIsReviewing] = useState(false);
  const { changes, outcome, problem } = staged;
  if (changes.length === 0 && !staged.isBlind) {
    return outcome === null ? null : <Outcome outcome={outcome} onOver={staged.dismissOutcome} />;
  }
  const conflicts = changes.filter((change) => change.isConflict).length;
  const needsRestart = changes.some(
    (change) => !FIELDS_WITHOUT_RESTART.some((field) => change.key === `setting:${field}`),
  );
  return (
    <div className="animate-fade border-t bg-raised px-4 py-2.5" data-draft-bar="">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5">
        <div className="min-w-36 flex-1">
          <p className="text-sm font-medium text-ink" aria-live="polite">
            {staged.isBlind
              ? "Edits waiting for their settings to load"
              : stagedSentence(changes.length, needsRestart && !staged.willHold)}
          </p>
          <p className="truncate text-xs text-muted">
            {conflicts > 0 ? null : changes.map((change) => change.label).join(", ")}
            {conflicts === 0 ? null : (
              <span className="text-warn">
                {conflicts === 1 ? "1 conflict" : `${conflicts} conflicts`} to resolve first
              </span>
            )}
          </p>
        </div>
        <Button size="sm" variant="ghost" disabled={staged.isSaving} onClick={staged.discard}>
          Discard
        </Button>
        <Button size="sm" disabled={staged.isBlind} onClick={() => setIsReviewing(true)}>
          Review
        </Button>
        <Button
          size="sm"
          variant="primary"
          isBusy={staged.isSaving}
          disabled={staged.hasConflict || staged.isBlind}
          onClick={staged.apply}
        >
          Apply
        </Button>
      </div>
      {problem === null ? null : (
        <p role="alert" className="mt-1.5 flex items-start gap-1.5 text-xs text-danger">
          <TriangleAlert size={13} className="mt-px shrink-0" aria-hidden="true" />
          <span>
            Not saved: {problem.sentence} {problem.next} Your edits are kept.
          </span>
        </p>
      )}
      <ReviewDialog
        staged={staged}
        needsRestart={needsRestart}
        isOpen={isReviewing}
        onOpenChange={setIsReviewing}
      />
    </div>
  );
}

function Outcome({ outcome, onOver }: { outcome: SaveOutcome; onOver: () => void }) {
  useEffect(() => {
    const timer = setTimeout(onOver, OUTCOME_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [onOver]);
  return (
    <p
      role="status"
      className="flex animate-fade items-center gap-2 border-t bg-raised px-4 py-2.5 text-sm text-ink"
    >
      <CircleCheck size={15} className="shrink-0 text-status-online" aria-hidden="true" />
      {outcomeText(outcome)}
    </p>
  );
}

function outcomeText(outcome: SaveOutcome): string {
  if (outcome.kind === "unchanged") return "Nothing had changed, so nothing restarts";
  const saved = outcome.count === 1 ? "Saved" : `${outcome.count} changes saved`;
  return outcome.willRestart
    ? `${saved} · one restart applies ${outcome.count === 1 ? "it" : "them"}`
    : `${saved} · no restart now`;
}
