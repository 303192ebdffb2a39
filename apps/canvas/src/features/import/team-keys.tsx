"use client";
import { useId } from "react";
import { Badge } from "../../ui/badge.tsx";
import { Field, Input } from "../../ui/field.tsx";

export interface TeamKeysProps {
  title: string;
  /** One sentence: what they are for. */
  note: string;
  needs: readonly (readonly string[])[];
  /** What is typed, by key. */
  typed: Readonly<Record<string, string>>;
  onType: (key: string, value: string) => void;
  isRequired?: boolean;
}

/** Keys that are missing, each with a field; of a group one is enough. */
export function TeamKeys({ title, note, needs, typed, onType, isRequired }: TeamKeysProps) {
  const id = useId();
  if (needs.length === 0) return null;
  return (
    <section aria-labelledby={id} className="flex flex-col gap-3">
      <div>
        <h3 id={id} className="text-sm font-medium text-ink">
          {title}
        </h3>
        <p className="text-xs text-muted">{note}</p>
      </div>
      {needs.map((need) => {
        const isEntered = need.some((key) => (typed[key] ?? "").trim() !== "");
        const fields = need.map((key) => (
          <Field
            key={key}
            label={<code className="font-mono text-xs break-all">{key}</code>}
            aside={
              isEntered ? (
                <Badge>entered</Badge>
              ) : (
                <Badge tone={isRequired === true ? "danger" : "warn"}>missing</Badge>
              )
            }
          >
            {(ids) => (
              <Input
                {...ids}
                type="password"
                autoComplete="off"
                spellCheck={false}
                placeholder="Paste the value"
                value={typed[key] ?? ""}
                onChange={(event) => onType(key, event.target.value)}
              />
            )}
          </Field>
        ));
        return need.length === 1 ? (
          fields
        ) : (
          <fieldset key={need.join()} className="flex flex-col gap-3 rounded-md border p-3">
            <legend className="px-1 text-xs text-muted">One of these is enough</legend>
            {fields}
          </fieldset>
        );
      })}
    </section>
  );
}
