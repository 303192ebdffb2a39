"use client";
import type { ConfigDocument } from "@molecule/contracts/panel";
import { useState } from "react";
import { Field, Input, Select } from "../../../ui/field.tsx";
import { type Pair, pairOf } from "./model/pair.ts";
import { SourceNote } from "./source-note.tsx";
import type { Editing } from "./use-editing.ts";

const OTHER = " other";

/** The model: those of its provider, or any other name. Always says which one really runs. */
export function ModelField(props: {
  document: ConfigDocument;
  pair: Pair;
  provider: Editing<"provider">;
  model: Editing<"model">;
}) {
  const { document, pair, provider, model: editing } = props;
  const { models, isListed } = pair;
  // Of which provider any name is typed; another provider begins with its list again.
  const [typedOf, setTypedOf] = useState<string | null>(null);
  const showsInput = typedOf === pair.provider || !isListed;
  const choose = (value: string) => {
    setTypedOf(value === OTHER ? pair.provider : null);
    if (value === OTHER) {
      // The name that is typed next says nothing about its provider any more.
      if (pair.isInferred) provider.set(pair.provider);
      return;
    }
    // Where nobody stated a provider, none is stated for a name that tells it.
    const told = pairOf(document.providers, { provider: null, model: value });
    if (document.desired.provider === null && told.provider === pair.provider) provider.set(null);
    editing.set(value === "" ? null : value);
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
