"use client";
import { APPLY_POLICIES, type ApplyPolicy } from "@molecule/domain/sets";
import {
  Bookmark,
  ChevronDown,
  CircleCheck,
  Hourglass,
  RotateCw,
  TriangleAlert,
} from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { Button } from "../../../ui/button.tsx";
import { Menu, MenuItem } from "../../../ui/menu.tsx";
import { useNode } from "../../store/node-store.tsx";
import { ReviewDialog } from "./review-dialog.tsx";
import { APPLY_CHOICE, outcomeText, stagedSentence } from "./staged-save.ts";
import type { SaveOutcome, Staged } from "./use-staged-draft.ts";

/** How long the bar says what a save did. */
const OUTCOME_SHOWN_MS = 8_000;

/**
 * The staged changes of a workspace in one line, with what can be done about them. Absent while
 * nothing is staged. The same bar stands under Files and under Configure.
 */
export function DraftBar({ workspaceId, staged }: { workspaceId: string; staged: Staged }) {
  const [isReviewing, setIsReviewing] = useState(false);
  const node = useNode(workspaceId);
  const { changes, outcome, problem, needsRestart } = staged;
  if (changes.length === 0 && !staged.isBlind) {
    return outcome === null ? null : <Outcome outcome={outcome} onOver={staged.dismissOutcome} />;
  }
  const conflicts = changes.filter((change) => change.isConflict).length;
  return (
    <div className="animate-fade border-t bg-raised px-4 py-2.5" data-draft-bar="">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5">
        <div className="min-w-36 flex-1 max-sm:basis-full">
          <p className="text-sm font-medium text-ink" aria-live="polite">
            {staged.isBlind
              ? "Edits waiting for their settings to load"
              : stagedSentence(changes.length, {
                  willRestart: needsRestart && staged.usual !== "hold",
                  runningTasks: node?.activeTasks ?? 0,
                })}
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
        <ApplyButtons staged={staged} />
      </div>
      {problem === null ? null : (
        <p role="alert" className="mt-1.5 flex items-start gap-1.5 text-xs text-danger">
          <TriangleAlert size={13} className="mt-px shrink-0" aria-hidden="true" />
          <span>
            Not saved: {problem.sentence} {problem.next} Your edits are kept.
          </span>
        </p>
      )}
      <ReviewDialog staged={staged} isOpen={isReviewing} onOpenChange={setIsReviewing} />
    </div>
  );
}

/** The usual way as a button, the others behind the arrow beside it. */
function ApplyButtons({ staged }: { staged: Staged }) {
  const { needsRestart } = staged;
  const isDisabled = staged.hasConflict || staged.isBlind;
  const usual = needsRestart ? staged.usual : "settle";
  const others = APPLY_POLICIES.filter((how) => how !== usual);
  return (
    <div className="flex">
      <Button
        size="sm"
        variant="primary"
        isBusy={staged.isSaving}
        disabled={isDisabled}
        className={needsRestart ? "rounded-r-none" : ""}
        onClick={() => staged.apply()}
      >
        {APPLY_CHOICE[usual].verb}
      </Button>
      {needsRestart ? (
        <Menu
          label="Other ways to apply"
          trigger={
            <Button
              size="sm"
              variant="primary"
              disabled={isDisabled || staged.isSaving}
              aria-label="Other ways to apply"
              className="rounded-l-none border-l border-l-raised px-1.5"
            >
              <ChevronDown size={14} aria-hidden="true" />
            </Button>
          }
        >
          {others.map((how) => (
            <ApplyItem key={how} how={how} onSelect={() => staged.apply(how)} />
          ))}
        </Menu>
      ) : null}
    </div>
  );
}

const ICONS: Readonly<Record<ApplyPolicy, ReactNode>> = {
  settle: <RotateCw size={14} aria-hidden="true" />,
  idle: <Hourglass size={14} aria-hidden="true" />,
  hold: <Bookmark size={14} aria-hidden="true" />,
};

function ApplyItem({ how, onSelect }: { how: ApplyPolicy; onSelect: () => void }) {
  return (
    <MenuItem icon={ICONS[how]} onSelect={onSelect}>
      <span className="block">{APPLY_CHOICE[how].verb}</span>
      <span className="block max-w-64 text-xs whitespace-normal text-muted">
        {APPLY_CHOICE[how].effect}
      </span>
    </MenuItem>
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
      {outcome.kind === "unchanged"
        ? "Nothing had changed, so nothing restarts"
        : outcomeText(outcome.count, outcome.apply, outcome.result)}
    </p>
  );
}
