"use client";
import type { TemplateView } from "@molecule/contracts/workspaces";
import { useState } from "react";
import { Badge } from "../../ui/badge.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { RUNTIME_LABELS } from "../status/model-label.ts";
import type { Brain } from "./brain.ts";
import { KeyFields } from "./key-fields.tsx";
import { errorOf, Step, type StepProps } from "./step.tsx";

export interface BrainStepProps extends StepProps {
  template: TemplateView;
  brain: Brain;
  setKeys: readonly string[];
}

/** Provider, then its models, then the keys that the pair needs; missing ones are entered here. */
export function BrainStep({ template, brain, setKeys, ...step }: BrainStepProps) {
  const { providers, provider, isInferred, needs } = brain;
  return (
    <Step title="Brain">
      {providers.length === 0 ? null : (
        <Field
          label="Provider"
          hint={isInferred ? "Taken from the names of the models; the template names none." : null}
          aside={<Badge>{RUNTIME_LABELS[template.runtime]}</Badge>}
        >
          {(ids) => (
            <Select
              {...ids}
              value={provider}
              onChange={(event) => step.change({ provider: event.target.value, model: null })}
            >
              {providers.map((each) => (
                <option key={each.provider ?? ""} value={each.provider ?? ""}>
                  {each.provider ?? "Not stated"}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      <ModelChoice key={`${template.id} ${provider}`} {...step} template={template} brain={brain} />
      <KeyFields {...step} needs={needs} setKeys={setKeys} />
    </Step>
  );
}

const OTHER = " other";

/** The provider's models, or any other name; only a name where it lists none. */
function ModelChoice(props: StepProps & { template: TemplateView; brain: Brain }) {
  const { template, brain, change, problem } = props;
  const { models, model, isListed } = brain;
  const [isOther, setIsOther] = useState(false);
  const showsInput = isOther || !isListed;
  const choose = (value: string) => {
    setIsOther(value === OTHER);
    change({ model: value === OTHER ? "" : value });
  };
  const input = (ids: object) => (
    <Input
      {...ids}
      data-field="model"
      value={model}
      maxLength={100}
      autoComplete="off"
      spellCheck={false}
      placeholder="Model name as the provider spells it"
      onChange={(event) => change({ model: event.target.value })}
    />
  );
  return (
    <Field
      label="Model"
      error={errorOf(problem, "model")}
      hint={
        template.runtime === "demo"
          ? "A small built-in agent that follows plain requests. It needs no key."
          : null
      }
      aside={
        brain.providers.length === 0 ? <Badge>{RUNTIME_LABELS[template.runtime]}</Badge> : null
      }
    >
      {(ids) =>
        models.length === 0 ? (
          input(ids)
        ) : (
          <div className="flex flex-col gap-1.5">
            <Select
              {...ids}
              value={showsInput ? OTHER : model}
              onChange={(event) => choose(event.target.value)}
            >
              {models.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name}
                </option>
              ))}
              <option value={OTHER}>Another model…</option>
            </Select>
            {showsInput ? input({ "aria-label": "Model name" }) : null}
          </div>
        )
      }
    </Field>
  );
}
