"use client";
import { Field, Select } from "../../../ui/field.tsx";
import { sleepChoices, sleepNote } from "./setting-text.ts";
import type { Editing } from "./use-editing.ts";

/** After how much quiet the agent falls asleep by itself. */
export function SleepField({ editing }: { editing: Editing<"sleepAfterMinutes"> }) {
  const { value, set } = editing;
  return (
    <Field label="Sleeps when idle" hint={sleepNote(value)}>
      {(ids) => (
        <Select
          {...ids}
          value={String(value ?? "")}
          onChange={(event) => set(event.target.value === "" ? null : Number(event.target.value))}
        >
          <option value="">Never</option>
          {sleepChoices(value).map(({ minutes, text }) => (
            <option key={minutes} value={minutes}>
              {text}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
