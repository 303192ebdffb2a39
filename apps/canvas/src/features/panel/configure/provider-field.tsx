"use client";
import type { ConfigDocument } from "@molecule/contracts/panel";
import { Field, Select } from "../../../ui/field.tsx";
import { type Pair, withProvider } from "./model/pair.ts";
import { SourceNote } from "./source-note.tsx";
import type { Editing } from "./use-editing.ts";

/** Whose model it is, chosen before the model. */
export function ProviderField(props: {
  document: ConfigDocument;
  pair: Pair;
  provider: Editing<"provider">;
  model: Editing<"model">;
}) {
  const { document, pair, provider, model } = props;
  const choose = (name: string) => {
    const chosen = { provider: provider.value, model: model.value };
    const next = withProvider(document.providers, chosen, name);
    provider.set(next.provider);
    if (next.model !== chosen.model) model.set(next.model);
  };
  const isUnknown = pair.provider === "" || pair.isUnlistedProvider;
  return (
    <Field
      label="Provider"
      hint={<RunningProvider document={document} pair={pair} />}
      aside={pair.isInferred ? null : <SourceNote source={document.sources.provider} />}
    >
      {(ids) => (
        <Select {...ids} value={pair.provider} onChange={(event) => choose(event.target.value)}>
          {isUnknown ? (
            <option value={pair.provider}>{pair.provider || "Not stated"}</option>
          ) : null}
          {pair.providers
            .filter((one) => (one.provider ?? "") !== pair.provider || !isUnknown)
            .map((one) => (
              <option key={one.provider ?? ""} value={one.provider ?? ""}>
                {one.provider ?? "Not stated"}
              </option>
            ))}
        </Select>
      )}
    </Field>
  );
}

function RunningProvider({ document, pair }: { document: ConfigDocument; pair: Pair }) {
  const { effective, failed } = document;
  if (failed.effective !== undefined) return "What runs now could not be read.";
  const running = effective?.provider ?? null;
  if (running !== null && running !== pair.provider) {
    return (
      <>
        Running: <span className="font-medium text-ink">{running}</span> · after restart:{" "}
        <span className="font-medium text-warn">{pair.provider || "not stated"}</span>
      </>
    );
  }
  return pair.isInferred ? "Taken from the name of the model." : null;
}
