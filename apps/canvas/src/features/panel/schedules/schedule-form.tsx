"use client";
import type { ScheduleView } from "@molecule/contracts/schedules";
import { readCron } from "@molecule/domain/cron";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from "react";
import { useTRPC } from "../../../trpc/client.tsx";
import { type ReadProblem, readProblem } from "../../../trpc/problem.ts";
import { Button } from "../../../ui/button.tsx";
import { Field, Input, Textarea } from "../../../ui/field.tsx";
import { cronOf, FIRST_RHYTHM, type Rhythm, rhythmOf } from "./model/preset.ts";
import { isKnownZone, knownZones, readerZone } from "./model/time-zones.ts";
import { RhythmFields } from "./rhythm-fields.tsx";
import { RunPreview } from "./run-preview.tsx";
import { useRefreshSchedules } from "./use-schedules.ts";

export interface ScheduleFormProps {
  workspaceId: string;
  /** Null for a new one. */
  schedule: ScheduleView | null;
  onDone: () => void;
}

interface Draft {
  readonly name: string;
  readonly rhythm: Rhythm;
  readonly timezone: string;
  readonly prompt: string;
}

/** A new schedule, or another time or message for one that is there. Escape leaves it as it was. */
export function ScheduleForm({ workspaceId, schedule, onDone }: ScheduleFormProps) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(schedule));
  const [isTried, setIsTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const save = useSave(workspaceId, schedule, onDone);
  const cronExpr = cronOf(draft.rhythm);
  const problems = problemsOf(draft, cronExpr);
  const refused = save.error === null ? null : readProblem(save.error);
  const shown = (field: keyof Problems) =>
    refusedField(refused) === field
      ? (refused?.sentence ?? null)
      : isTried || field === "cron"
        ? problems[field]
        : null;
  const isWrong = Object.values(problems).some((problem) => problem !== null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setIsTried(true);
    if (isWrong) return focusFirstWrong(form.current);
    const { name, timezone, prompt } = draft;
    save.mutate({ name: name.trim(), cronExpr, timezone: timezone.trim(), prompt });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onDone();
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  };
  return (
    <form
      ref={form}
      aria-label={schedule === null ? "New schedule" : "Edit schedule"}
      className="flex flex-col gap-4 p-3"
      onSubmit={submit}
      onKeyDown={onKeyDown}
      noValidate
    >
      <Field label="Message" error={shown("prompt")} hint="What the agent is told each time.">
        {(ids) => (
          <Textarea
            {...ids}
            autoFocus
            className="max-h-48"
            placeholder="Summarise what happened yesterday."
            value={draft.prompt}
            onChange={(event) => setDraft({ ...draft, prompt: event.target.value })}
          />
        )}
      </Field>
      <RhythmFields
        rhythm={draft.rhythm}
        error={shown("cron")}
        onChange={(rhythm) => setDraft({ ...draft, rhythm })}
      />
      <ZoneField
        zone={draft.timezone}
        error={shown("zone")}
        onChange={(timezone) => setDraft({ ...draft, timezone })}
      />
      <RunPreview
        cronExpr={cronExpr}
        timezone={draft.timezone.trim()}
        isReady={problems.cron === null && problems.zone === null}
      />
      <Field label="Name" hint="Optional. Without one it is called by its time.">
        {(ids) => (
          <Input
            {...ids}
            maxLength={255}
            autoComplete="off"
            value={draft.name}
            onChange={(event) => setDraft({ ...draft, name: event.target.value })}
          />
        )}
      </Field>
      {refused !== null && refusedField(refused) === null ? (
        <p role="alert" className="rounded-md bg-danger-tint px-3 py-2 text-xs text-ink">
          {refused.sentence} {refused.next}
        </p>
      ) : null}
      <div className="flex justify-end gap-2">
        <Button size="sm" variant="ghost" onClick={onDone}>
          Cancel
        </Button>
        <Button size="sm" variant="primary" type="submit" isBusy={save.isPending}>
          {schedule === null ? "Add schedule" : "Save"}
        </Button>
      </div>
    </form>
  );
}

/** Where the keyboard goes when something is missing; once the fields say that they are wrong. */
function focusFirstWrong(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
}

function ZoneField(props: {
  zone: string;
  error: string | null;
  onChange: (zone: string) => void;
}) {
  const listId = useId();
  return (
    <Field label="Time zone" error={props.error}>
      {(ids) => (
        <>
          <Input
            {...ids}
            list={listId}
            autoComplete="off"
            spellCheck={false}
            value={props.zone}
            onChange={(event) => props.onChange(event.target.value)}
          />
          <datalist id={listId}>
            {knownZones().map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

interface Problems {
  readonly prompt: string | null;
  readonly cron: string | null;
  readonly zone: string | null;
}

function problemsOf({ prompt, timezone }: Draft, cronExpr: string): Problems {
  const read = readCron(cronExpr);
  return {
    prompt: prompt.trim() === "" ? "Say what the agent shall do." : null,
    cron: read.kind === "wrong" ? read.sentence : null,
    zone: isKnownZone(timezone.trim())
      ? null
      : "There is no such time zone. Use a name such as UTC or Europe/Berlin.",
  };
}

/** The field that the platform refused; null when it refused something else. */
function refusedField(problem: ReadProblem | null): keyof Problems | null {
  const field = problem?.details.field;
  return field === "cron_expr" ? "cron" : field === "timezone" ? "zone" : null;
}

function draftOf(schedule: ScheduleView | null): Draft {
  if (schedule === null) {
    return { name: "", rhythm: FIRST_RHYTHM, timezone: readerZone(), prompt: "" };
  }
  const { name, cronExpr, timezone, prompt } = schedule;
  return { name, rhythm: rhythmOf(cronExpr), timezone, prompt };
}

interface Saved {
  name: string;
  cronExpr: string;
  timezone: string;
  prompt: string;
}

function useSave(workspaceId: string, schedule: ScheduleView | null, onSuccess: () => void) {
  const trpc = useTRPC();
  const onSettled = useRefreshSchedules(workspaceId);
  const create = useMutation(trpc.schedules.create.mutationOptions({ onSuccess, onSettled }));
  const update = useMutation(trpc.schedules.update.mutationOptions({ onSuccess, onSettled }));
  return {
    error: create.error ?? update.error,
    isPending: create.isPending || update.isPending,
    mutate: (saved: Saved) => {
      if (schedule === null) create.mutate({ workspaceId, enabled: true, ...saved });
      else update.mutate({ workspaceId, id: schedule.id, ...saved });
    },
  };
}
