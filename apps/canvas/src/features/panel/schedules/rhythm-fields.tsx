"use client";
import { Field, Input, Select } from "../../../ui/field.tsx";
import { cronOf, PRESET_KINDS, PRESET_TITLES, type Rhythm } from "./model/preset.ts";

export interface RhythmFieldsProps {
  rhythm: Rhythm;
  error: string | null;
  onChange: (rhythm: Rhythm) => void;
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONDAY_FIRST = [1, 2, 3, 4, 5, 6, 0];
const DATES = Array.from({ length: 31 }, (_, index) => index + 1);

/** How often and at which time; or the five fields of cron for everything else. */
export function RhythmFields({ rhythm, error, onChange }: RhythmFieldsProps) {
  const { kind } = rhythm;
  return (
    <div className="flex flex-wrap items-start gap-3">
      <Field label="How often" className="min-w-36 flex-1">
        {(ids) => (
          <Select
            {...ids}
            value={kind}
            onChange={(event) => {
              const chosen = PRESET_KINDS.find((each) => each === event.target.value);
              if (chosen === undefined) return;
              // What was chosen so far is where the free form begins.
              const custom = chosen === "custom" ? cronOf(rhythm) : rhythm.custom;
              onChange({ ...rhythm, kind: chosen, custom });
            }}
          >
            {PRESET_KINDS.map((each) => (
              <option key={each} value={each}>
                {PRESET_TITLES[each]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {kind === "week" ? (
        <Field label="Day" className="min-w-28 flex-1">
          {(ids) => (
            <Select
              {...ids}
              value={String(rhythm.weekday)}
              onChange={(event) => onChange({ ...rhythm, weekday: Number(event.target.value) })}
            >
              {MONDAY_FIRST.map((day) => (
                <option key={day} value={day}>
                  {WEEKDAYS[day]}
                </option>
              ))}
            </Select>
          )}
        </Field>
      ) : null}
      {kind === "month" ? (
        <Field
          label="Date"
          className="min-w-28 flex-1"
          hint={rhythm.date > 28 ? "Months without this date are left out." : undefined}
        >
          {(ids) => (
            <Select
              {...ids}
              value={String(rhythm.date)}
              onChange={(event) => onChange({ ...rhythm, date: Number(event.target.value) })}
            >
              {DATES.map((date) => (
                <option key={date} value={date}>
                  {date}
                </option>
              ))}
            </Select>
          )}
        </Field>
      ) : null}
      {kind === "custom" ? (
        <Field
          label="Cron"
          className="min-w-52 flex-2"
          error={error}
          hint="Minute, hour, day of month, month, day of week."
        >
          {(ids) => (
            <Input
              {...ids}
              className="font-mono"
              autoComplete="off"
              spellCheck={false}
              value={rhythm.custom}
              onChange={(event) => onChange({ ...rhythm, custom: event.target.value })}
            />
          )}
        </Field>
      ) : (
        <TimeField rhythm={rhythm} error={error} onChange={onChange} />
      )}
    </div>
  );
}

function TimeField({ rhythm, error, onChange }: RhythmFieldsProps) {
  if (rhythm.kind === "hour") {
    const minute = Number(rhythm.time.slice(3));
    return (
      <Field label="Minutes past" className="min-w-24" error={error}>
        {(ids) => (
          <Input
            {...ids}
            type="number"
            min={0}
            max={59}
            value={String(minute)}
            onChange={(event) => {
              const next = Math.min(59, Math.max(0, Math.trunc(Number(event.target.value)) || 0));
              const text = String(next).padStart(2, "0");
              onChange({ ...rhythm, time: `${rhythm.time.slice(0, 3)}${text}` });
            }}
          />
        )}
      </Field>
    );
  }
  return (
    <Field label="Time" className="min-w-24" error={error}>
      {(ids) => (
        <Input
          {...ids}
          type="time"
          required
          value={rhythm.time}
          onChange={(event) => {
            if (event.target.value !== "") onChange({ ...rhythm, time: event.target.value });
          }}
        />
      )}
    </Field>
  );
}
