"use client";
import type { ScheduleView } from "@molecule/contracts/schedules";
import clsx from "clsx";
import { ChevronRight, MoreHorizontal, Pencil, Play, Trash2 } from "lucide-react";
import { useState } from "react";
import { Badge } from "../../../ui/badge.tsx";
import { Button, IconButton } from "../../../ui/button.tsx";
import { Menu, MenuItem } from "../../../ui/menu.tsx";
import { Switch } from "../../../ui/switch.tsx";
import { useCoarseNow } from "../../clock/clock.tsx";
import { lastRunText, nextRunText, rhythmText, titleOf } from "./model/schedule-text.ts";
import { readerZone } from "./model/time-zones.ts";
import { ScheduleRuns } from "./schedule-runs.tsx";
import { useScheduleActions } from "./use-schedules.ts";

export interface ScheduleRowProps {
  schedule: ScheduleView;
  agentName: string;
  onEdit: () => void;
}

/** One schedule: what it is called, when it runs next, how it went, and what can be done with it. */
export function ScheduleRow({ schedule, agentName, onEdit }: ScheduleRowProps) {
  const { toggle, run, remove } = useScheduleActions(schedule, agentName);
  const [isAsked, setIsAsked] = useState(false);
  const [isOpen, setIsOpen] = useState(false);
  const ref = { workspaceId: schedule.workspaceId, id: schedule.id };
  const title = titleOf(schedule);
  return (
    <article aria-label={title} className="flex flex-col gap-1 px-3 py-2">
      <div className="flex items-center gap-2">
        <Switch
          label={`${title} is on`}
          isOn={schedule.enabled}
          isBusy={toggle.isPending}
          onChange={(enabled) => toggle.mutate({ ...ref, enabled })}
        />
        <h4
          className={clsx(
            "min-w-0 flex-1 text-sm font-medium wrap-anywhere",
            // A name can be long; the time, where there is no name, is said nowhere else.
            schedule.name === "" ? "" : "line-clamp-2",
            schedule.enabled ? "text-ink" : "text-muted",
          )}
          title={title}
        >
          {title}
        </h4>
        {schedule.source === "template" ? <Badge>from template</Badge> : null}
        <Button
          size="sm"
          icon={<Play size={12} aria-hidden="true" />}
          isBusy={run.isPending}
          aria-label={`Run ${title} now`}
          onClick={() => run.mutate(ref)}
        >
          Run now
        </Button>
        <Menu
          label={`More for ${title}`}
          trigger={
            <IconButton label={`More for ${title}`} size="sm">
              <MoreHorizontal size={15} aria-hidden="true" />
            </IconButton>
          }
        >
          <MenuItem icon={<Pencil size={14} />} onSelect={onEdit}>
            Edit
          </MenuItem>
          <MenuItem icon={<Trash2 size={14} />} isDanger onSelect={() => setIsAsked(true)}>
            Delete…
          </MenuItem>
        </Menu>
      </div>
      <When schedule={schedule} />
      {isAsked ? (
        <div
          role="alert"
          className="flex flex-wrap items-center gap-2 rounded-md bg-danger-tint px-3 py-2"
        >
          <p className="min-w-40 flex-1 text-xs text-ink">
            Delete “{title}”? The list of its runs goes with it; the chat stays.
          </p>
          <Button size="sm" variant="ghost" autoFocus onClick={() => setIsAsked(false)}>
            Keep
          </Button>
          <Button
            size="sm"
            variant="danger"
            isBusy={remove.isPending}
            onClick={() => remove.mutate(ref, { onError: () => setIsAsked(false) })}
          >
            Delete
          </Button>
        </div>
      ) : null}
      <details className="group" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary className="flex list-none items-center gap-1.5 rounded-md py-1 text-xs text-muted hover:text-ink pointer-coarse:min-h-11">
          <ChevronRight
            size={13}
            className="shrink-0 transition-transform duration-[120ms] group-open:rotate-90"
            aria-hidden="true"
          />
          Message and last runs
        </summary>
        {isOpen ? <ScheduleRuns schedule={schedule} /> : null}
      </details>
    </article>
  );
}

function When({ schedule }: { schedule: ScheduleView }) {
  const next = nextRunText(schedule, useCoarseNow(), readerZone());
  const last = lastRunText(schedule);
  const isBad = schedule.lastStatus === "error" || schedule.lastStatus === "stale";
  const rhythm = schedule.name === "" ? "" : `${rhythmText(schedule.cronExpr)} · `;
  return (
    <div className="flex flex-col text-xs leading-5 text-muted">
      <p>
        {rhythm}
        {schedule.timezone}
      </p>
      <p className={next === null ? "" : "text-ink"}>
        {next === null ? "Off: it does not run by itself." : `Next ${next}`}
      </p>
      {last === null ? null : (
        <p
          className={clsx(
            "line-clamp-2 wrap-anywhere",
            isBad ? "text-danger" : schedule.lastStatus === "skipped" ? "text-warn" : "",
          )}
          title={last}
        >
          {last}
        </p>
      )}
    </div>
  );
}
