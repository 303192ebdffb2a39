"use client";
import type { TemplateView } from "@molecule/contracts/workspaces";
import { Badge } from "../../ui/badge.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { RUNTIME_LABELS } from "../status/model-label.ts";
import { errorOf, Step, type StepProps } from "./step.tsx";

export interface BrainStepProps extends StepProps {
  template: TemplateView | null;
  missing: readonly string[];
}

/** Model and the keys it needs; missing ones are entered here. */
export function BrainStep({ draft, change, problem, template, missing }: BrainStepProps) {
  if (template === null) return null;
  const model = draft.model ?? template.model;
  return (
    <Step title="Brain">
      <Field
        label="Model"
        hint={
          template.runtime === "demo"
            ? "A small built-in agent that follows plain requests. It needs no key."
            : null
        }
        aside={<Badge>{RUNTIME_LABELS[template.runtime]}</Badge>}
      >
        {(ids) =>
          template.models.length === 0 ? (
            <Input
              {...ids}
              value={model}
              maxLength={100}
              onChange={(event) => change({ model: event.target.value })}
            />
          ) : (
            <Select
              {...ids}
              value={model}
              onChange={(event) => change({ model: event.target.value })}
            >
              {template.models.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name}
                </option>
              ))}
            </Select>
          )
        }
      </Field>
      {template.requiredEnv.map((key) =>
        missing.includes(key) ? (
          <Field
            key={key}
            label={<code className="font-mono text-xs">{key}</code>}
            error={errorOf(problem, `key:${key}`)}
            hint="Stored encrypted, for this agent only. It is never shown again."
            aside={<Badge tone="warn">missing</Badge>}
          >
            {(ids) => (
              <Input
                {...ids}
                data-field={`key:${key}`}
                type="password"
                autoComplete="off"
                value={draft.keys[key] ?? ""}
                onChange={(event) => change({ keys: { ...draft.keys, [key]: event.target.value } })}
              />
            )}
          </Field>
        ) : (
          <p key={key} className="flex items-center justify-between gap-2">
            <code className="font-mono text-xs text-ink">{key}</code>
            <Badge>set for the organisation</Badge>
          </p>
        ),
      )}
    </Step>
  );
}
