"use client";
import type { ApplyPolicy } from "@molecule/domain/sets";
import { useState } from "react";
import { toast } from "sonner";
import { readProblem } from "../../../trpc/problem.ts";
import { Button } from "../../../ui/button.tsx";
import { Dialog } from "../../../ui/dialog.tsx";
import { APPLY_CHOICE } from "./staged-save.ts";
import { memberText, type TeamMember, teamSentence } from "./team-changes.ts";
import { useTeamApply, useTeamMembers } from "./use-team-drafts.ts";

/** The ways offered here, the usual one last and in front of the eye. */
const WAYS: readonly ApplyPolicy[] = ["idle", "settle"];

/** Says that agents below have something to apply; absent while none has. */
export function TeamBar({ workspaceId }: { workspaceId: string }) {
  const members = useTeamMembers(workspaceId);
  const [isOpen, setIsOpen] = useState(false);
  if (members.length === 0 && !isOpen) return null;
  const below = members.filter((member) => member.id !== workspaceId);
  const who = below.length === 1 ? below[0]?.name : `${below.length} agents below`;
  const verb = below.length === 1 ? "has" : "have";
  return (
    <div className="flex flex-wrap items-center gap-2 border-t bg-raised px-4 py-2">
      <p className="min-w-36 flex-1 text-xs text-muted">
        <span className="font-medium text-ink">{who}</span> {verb} changes that do not run yet.
      </p>
      <Button size="sm" onClick={() => setIsOpen(true)}>
        Apply together
      </Button>
      <TeamDialog members={members} isOpen={isOpen} onOpenChange={setIsOpen} />
    </div>
  );
}

function TeamDialog(props: {
  members: readonly TeamMember[];
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
}) {
  const { members, isOpen, onOpenChange } = props;
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const apply = useTeamApply();
  const chosen = members.filter((member) => !left.has(member.id));
  const toggle = (id: string) => {
    const next = new Set(left);
    if (!next.delete(id)) next.add(id);
    setLeft(next);
  };
  const run = (how: ApplyPolicy) =>
    apply.mutate(
      { members: chosen, apply: how },
      {
        onSuccess: () => {
          toast(teamSentence(chosen), { description: APPLY_CHOICE[how].effect });
          onOpenChange(false);
        },
      },
    );
  return (
    <Dialog
      open={isOpen}
      onOpenChange={onOpenChange}
      title="Apply together"
      description="One request: all of it is saved, or nothing. Each agent restarts once."
      footer={WAYS.map((how) => (
        <Button
          key={how}
          variant={how === "settle" ? "primary" : "secondary"}
          isBusy={apply.isPending && apply.variables.apply === how}
          disabled={chosen.length === 0 || apply.isPending}
          onClick={() => run(how)}
        >
          {APPLY_CHOICE[how].verb}
        </Button>
      ))}
    >
      <div className="flex flex-col gap-3">
        <ul className="divide-y rounded-lg border">
          {members.map((member) => (
            <li key={member.id}>
              <label className="flex min-h-11 cursor-pointer items-center gap-3 px-3 py-2">
                <input
                  type="checkbox"
                  className="size-4 accent-action"
                  checked={!left.has(member.id)}
                  onChange={() => toggle(member.id)}
                />
                <span className="min-w-0 flex-1">
                  <span className="block truncate text-sm text-ink">{member.name}</span>
                  <span className="block text-xs text-muted">{memberText(member)}</span>
                </span>
              </label>
            </li>
          ))}
        </ul>
        <p className="text-sm text-muted" aria-live="polite">
          {teamSentence(chosen)}
        </p>
        {apply.error === null ? null : (
          <p role="alert" className="text-sm text-danger">
            Nothing was applied: {readProblem(apply.error).sentence} {readProblem(apply.error).next}
          </p>
        )}
      </div>
    </Dialog>
  );
}
