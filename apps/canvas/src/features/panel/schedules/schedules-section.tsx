"use client";
import type { ScheduleView } from "@molecule/contracts/schedules";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { Plus } from "lucide-react";
import { useRef, useState } from "react";
import { readProblem } from "../../../trpc/problem.ts";
import { Button } from "../../../ui/button.tsx";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { InlineProblem } from "../inline-problem.tsx";
import { ScheduleForm } from "./schedule-form.tsx";
import { ScheduleRow } from "./schedule-row.tsx";
import { useSchedules } from "./use-schedules.ts";

/** What the agent is told again and again, and when. */
export function SchedulesSection({ node }: { node: WorkspaceNode }) {
  const query = useSchedules(node.id);
  return (
    <section aria-labelledby="schedules-heading" className="flex flex-col gap-3 p-4">
      <div>
        <h3 id="schedules-heading" className="text-sm font-medium text-ink">
          Schedules
        </h3>
        <p className="text-xs text-muted">
          Messages the agent gets by the clock. Changes count at once; nothing restarts.
        </p>
      </div>
      {query.data !== undefined ? (
        <>
          {query.data.runtimeRunsThem ? (
            <p className="rounded-lg bg-tint px-3 py-2 text-xs text-ink">
              This agent's runtime runs schedules itself, so the platform sends none of these by the
              clock.
            </p>
          ) : null}
          <ScheduleList node={node} schedules={query.data.schedules} />
        </>
      ) : query.isError ? (
        <InlineProblem
          title="The schedules could not be loaded."
          problem={readProblem(query.error)}
          onRetry={() => void query.refetch()}
          isRetrying={query.isFetching}
        />
      ) : (
        <AfterDelay>
          <Skeleton className="h-16" />
        </AfterDelay>
      )}
    </section>
  );
}

/** `new`, the id of the one that is edited, or nothing. */
type Open = string | null;

function ScheduleList(props: { node: WorkspaceNode; schedules: readonly ScheduleView[] }) {
  const { node, schedules } = props;
  const [open, setOpen] = useState<Open>(null);
  const add = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(null);
    // The form is gone; the keyboard goes on where it came from.
    requestAnimationFrame(() => add.current?.focus());
  };
  return (
    <>
      {schedules.length === 0 && open === null ? (
        <p className="text-sm text-muted">
          None yet. For example: every weekday at 09:00, “Summarise what happened yesterday”.
        </p>
      ) : null}
      {schedules.length === 0 ? null : (
        <ul className="divide-y rounded-lg border">
          {schedules.map((schedule) => (
            <li key={schedule.id}>
              {open === schedule.id ? (
                <ScheduleForm workspaceId={node.id} schedule={schedule} onDone={close} />
              ) : (
                <ScheduleRow
                  schedule={schedule}
                  agentName={node.name}
                  onEdit={() => setOpen(schedule.id)}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {open === "new" ? (
        <div className="rounded-lg border">
          <ScheduleForm workspaceId={node.id} schedule={null} onDone={close} />
        </div>
      ) : (
        <Button
          ref={add}
          size="sm"
          className="self-start"
          icon={<Plus size={13} aria-hidden="true" />}
          onClick={() => setOpen("new")}
        >
          Add schedule
        </Button>
      )}
    </>
  );
}
