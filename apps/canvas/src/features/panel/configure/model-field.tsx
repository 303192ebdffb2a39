"use client";
import type { ConfigDocument } from "@molecule/contracts/panel";
import { useState } from "react";
import { Field, Input, Select } from "../../../ui/field.tsx";
import { SourceNote } from "./source-note.tsx";
import type { Editing } from "./use-editing.ts";

const OTHER = " other";

/** The model: the template's choices, or any other name. Always says which one really runs. */
export function ModelField(props: { document: ConfigDocument; editing: Editing<"model"> }) {
  const { document, editing } = props;
  const { models } = document;
  const isListed = editing.value === null || models.some((model) => model.id === editing.value);
  const [isOther, setIsOther] = useState(!isListed);
  const showsInput = isOther || !isListed;
  const choose = (value: string) => {
    setIsOther(value === OTHER);
    if (value !== OTHER) editing.set(value === "" ? null : value);
  };
  return (
    <Field
      label="Model"
      hint={<RunningModel document={document} chosen={editing.value} />}
      aside={<SourceNote source={document.sources.model} />}
    >
      {(ids) => (
        <div className="flex flex-col gap-1.5">
          <Select
            {...ids}
            value={showsInput ? OTHER : (editing.value ?? "")}
            onChange={(event) => choose(event.target.value)}
          >
            {document.desired.model === null || editing.value === null ? (
              <option value="">The runtime's default</option>
            ) : null}
            {models.map((model) => (
              <option key={model.id} value={model.id}>
                {model.name === model.id ? model.id : `${model.name} (${model.id})`}
              </option>
            ))}
            <option value={OTHER}>Another model…</option>
          </Select>
          {showsInput ? (
            <Input
              aria-label="Model name"
              placeholder="Model name as the provider spells it"
              value={editing.value ?? ""}
              maxLength={100}
              onChange={(event) =>
                editing.set(event.target.value === "" ? null : event.target.value)
              }
            />
          ) : null}
        </div>
      )}
    </Field>
  );
}

function RunningModel({ document, chosen }: { document: ConfigDocument; chosen: string | null }) {
  const { effective, desired, failed } = document;
  if (failed.effective !== undefined) return "What runs now could not be read.";
  if (effective === null) return "It has not started yet.";
  const running = effective.model ?? "the runtime's default";
  if (chosen === effective.model) {
    return desired.model === effective.model ? `Running: ${running}` : `Running: ${running}, again`;
  }
  const next = chosen ?? "the runtime's default";
  return (
    <>
      Running: <span className="font-medium text-ink">{running}</span> · after restart:{" "}
      <span className="font-medium text-warn">{next}</span>
    </>
  );
}
