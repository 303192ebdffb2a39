"use client";
import { Badge } from "../../ui/badge.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { type Need, needText, openNeeds } from "./brain.ts";
import { isEntered } from "./draft.ts";
import { errorOf, type StepProps } from "./step.tsx";

export interface KeyFieldsProps extends StepProps {
  needs: readonly Need[];
  setKeys: readonly string[];
}

/** The keys that provider and model need: set ones by name, missing ones with a field to enter them. */
export function KeyFields({ needs, setKeys, ...step }: KeyFieldsProps) {
  if (needs.length === 0) return null;
  const open = openNeeds(needs, setKeys);
  const missing = open.filter((need) => !isEntered(step.draft, need));
  return (
    <div className="flex flex-col gap-4">
      {needs.map((need) =>
        open.includes(need) ? (
          <NeedFields key={need.join()} {...step} need={need} />
        ) : (
          <p key={need.join()} className="flex items-center justify-between gap-2">
            <code className="truncate font-mono text-xs text-ink">
              {need.find((key) => setKeys.includes(key))}
            </code>
            <Badge>set for the organisation</Badge>
          </p>
        ),
      )}
      <p role="status" className="text-xs text-muted">
        {missing.length === 0
          ? "Everything it needs to start is there."
          : `Before it can start: ${missing.map(needText).join(", ")}.`}
      </p>
    </div>
  );
}

/** A field for each key of a need; one of them is enough. */
function NeedFields({ draft, change, problem, need }: StepProps & { need: Need }) {
  const entered = isEntered(draft, need);
  const fields = need.map((key, index) => (
    <Field
      key={key}
      label={<code className="font-mono text-xs break-all">{key}</code>}
      error={index === 0 ? errorOf(problem, `key:${key}`) : null}
      hint={
        index === need.length - 1
          ? "Stored encrypted, for this agent only. It is never shown again."
          : null
      }
      aside={entered ? <Badge>entered</Badge> : <Badge tone="warn">missing</Badge>}
    >
      {(ids) => (
        <Input
          {...ids}
          data-field={`key:${key}`}
          type="password"
          autoComplete="off"
          spellCheck={false}
          value={draft.keys[key] ?? ""}
          onChange={(event) => change({ keys: { ...draft.keys, [key]: event.target.value } })}
        />
      )}
    </Field>
  ));
  if (need.length === 1) return fields;
  return (
    <fieldset className="flex flex-col gap-3 rounded-md border p-3">
      <legend className="px-1 text-xs text-muted">One of these is enough</legend>
      {fields}
    </fieldset>
  );
}
