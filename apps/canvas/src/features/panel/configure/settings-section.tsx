"use client";
import type { ConfigDocument } from "@molecule/contracts/panel";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../../../trpc/client.tsx";
import { readProblem } from "../../../trpc/problem.ts";
import { Field, Select, Textarea } from "../../../ui/field.tsx";
import { AfterDelay, Skeleton } from "../../../ui/skeleton.tsx";
import { ErrorState } from "../../../ui/state.tsx";
import type { ConfigField } from "../drafts/config-draft.ts";
import { InlineProblem } from "../inline-problem.tsx";
import { FieldConflict } from "./field-conflict.tsx";
import { pairOf } from "./model/pair.ts";
import { ModelField } from "./model-field.tsx";
import { PairKeys } from "./pair-keys.tsx";
import { ProviderField } from "./provider-field.tsx";
import { APPLY_POLICY_TEXT, SIZE_TEXT, sizeNote } from "./setting-text.ts";
import { SleepField } from "./sleep-field.tsx";
import { SourceNote } from "./source-note.tsx";
import { useEditing } from "./use-editing.ts";

/** The settings of the one configuration document: the form, or why there is none. */
export function SettingsSection({ node }: { node: WorkspaceNode }) {
  const trpc = useTRPC();
  const query = useQuery(trpc.config.document.queryOptions({ workspaceId: node.id }));
  if (query.data !== undefined) {
    return (
      <>
        <FailedParts
          document={query.data}
          isRetrying={query.isFetching}
          onRetry={() => void query.refetch()}
        />
        <SettingsForm node={node} document={query.data} />
      </>
    );
  }
  if (query.isError) {
    const problem = readProblem(query.error);
    return (
      <ErrorState
        title="The settings could not be loaded"
        detail={`${problem.sentence} Nothing is shown, so that nothing can be overwritten by mistake.`}
        requestId={problem.requestId}
        onRetry={() => void query.refetch()}
        isRetrying={query.isFetching}
      />
    );
  }
  return (
    <AfterDelay>
      <div role="status" className="flex flex-col gap-4 p-4">
        <span className="sr-only">Loading settings</span>
        <Skeleton className="h-14" />
        <Skeleton className="h-36" />
        <Skeleton className="h-14" />
      </div>
    </AfterDelay>
  );
}

/** What of the document could not be read; the form below is drawn from the rest. */
function FailedParts(props: {
  document: ConfigDocument;
  isRetrying: boolean;
  onRetry: () => void;
}) {
  const { document, isRetrying, onRetry } = props;
  const sentences = Object.values(document.failed);
  if (sentences.length === 0) return null;
  const problem = {
    code: "platform_unavailable",
    sentence: sentences.join(" "),
    next: undefined,
    requestId: undefined,
    details: {},
    isTemporary: true,
  };
  return (
    <div className="px-4 pt-4">
      <InlineProblem
        title="A part is missing here."
        problem={problem}
        isRetrying={isRetrying}
        onRetry={onRetry}
      />
    </div>
  );
}

function SettingsForm({ node, document }: { node: WorkspaceNode; document: ConfigDocument }) {
  const edit = useEditing(node.id, document);
  const { sources } = document;
  const provider = edit("provider");
  const model = edit("model");
  const chosen = { provider: provider.value, model: model.value };
  const pair = pairOf(document.providers, chosen);
  const hasProvider = pair.providers.length > 0 || provider.value !== null;
  const instructions = edit("instructions");
  const description = edit("description");
  const tier = edit("tier");
  const policy = edit("applyPolicy");
  const conflict = (field: ConfigField) => (
    <FieldConflict workspaceId={node.id} document={document} field={field} />
  );
  return (
    <section aria-label="Settings" className="flex flex-col gap-5 p-4">
      {hasProvider ? (
        <div>
          <ProviderField document={document} pair={pair} provider={provider} model={model} />
          {conflict("provider")}
        </div>
      ) : null}
      <div>
        <ModelField document={document} pair={pair} provider={provider} model={model} />
        {conflict("model")}
      </div>
      <PairKeys workspaceId={node.id} needs={pair.needs} />
      <div>
        <Field
          label="Instructions"
          hint={instructionsNote(document)}
          aside={<SourceNote source={sources.instructions} />}
        >
          {(ids) => (
            <Textarea
              {...ids}
              value={instructions.value}
              onChange={(event) => instructions.set(event.target.value)}
              placeholder="Who this agent is, what it does, how it should work."
              className="max-h-80 min-h-32"
            />
          )}
        </Field>
        {conflict("instructions")}
      </div>
      <div>
        <Field
          label="Description"
          hint="What other agents and people read about it."
          aside={<SourceNote source={sources.description} />}
        >
          {(ids) => (
            <Textarea
              {...ids}
              rows={1}
              className="max-h-32 min-h-8"
              value={description.value}
              maxLength={1000}
              onChange={(event) => description.set(event.target.value)}
            />
          )}
        </Field>
        {conflict("description")}
      </div>
      <div>
        <Field
          label="Size"
          hint={sizeNote(node.backend)}
          aside={<SourceNote source={sources.tier} />}
        >
          {(ids) => (
            <Select
              {...ids}
              value={String(tier.value)}
              onChange={(event) => tier.set(Number(event.target.value))}
            >
              {Object.entries(SIZE_TEXT).map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {conflict("tier")}
      </div>
      <div>
        <Field
          label="When changes apply"
          hint={APPLY_POLICY_TEXT[policy.value].hint}
          aside={<SourceNote source={sources.applyPolicy} />}
        >
          {(ids) => (
            <Select
              {...ids}
              value={policy.value}
              onChange={(event) => {
                const chosen = APPLY_POLICY_NAMES.find((name) => name === event.target.value);
                if (chosen !== undefined) policy.set(chosen);
              }}
            >
              {APPLY_POLICY_NAMES.map((name) => (
                <option key={name} value={name}>
                  {APPLY_POLICY_TEXT[name].title}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {conflict("applyPolicy")}
      </div>
      {node.backend === "external" ? null : (
        <div>
          <SleepField editing={edit("sleepAfterMinutes")} />
          {conflict("sleepAfterMinutes")}
        </div>
      )}
    </section>
  );
}

const APPLY_POLICY_NAMES = ["settle", "idle", "hold"] as const;

function instructionsNote(document: ConfigDocument): string {
  const { effective, desired, failed } = document;
  if (failed.effective !== undefined) return "What runs now could not be read.";
  if (effective === null || effective.instructions === desired.instructions) {
    return "Written to system-prompt.md.";
  }
  return "Saved, but the running agent still has the earlier text until its next restart.";
}
