"use client";
import { useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import type { Route } from "../location/route.ts";
import { useNodeStore, useOrganisation } from "../store/node-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { BrainStep } from "./brain-step.tsx";
import {
  type Draft,
  type DraftProblem,
  draftProblem,
  EXTERNAL,
  freeName,
  missingKeys,
  orderedTemplates,
} from "./draft.ts";
import { useCreate } from "./use-create.ts";
import { WhatStep } from "./what-step.tsx";
import { WhereStep } from "./where-step.tsx";

/** Everything about a new agent on one sheet: what it is, what it thinks with, where it runs. */
export function CreateSheet({ route }: { route: Route & { kind: "new" } }) {
  const actions = useWorkspaceActions();
  const organisation = useOrganisation();
  const nodes = useNodeStore();
  const setKeys = organisation?.globalSecretKeys ?? [];
  const templates = useMemo(
    () => orderedTemplates(organisation?.templates ?? [], organisation?.globalSecretKeys ?? []),
    [organisation],
  );
  const [draft, setDraft] = useState<Draft>(() => firstDraft(route, templates[0]?.id ?? null));
  const [problem, setProblem] = useState<DraftProblem | null>(null);
  const create = useCreate();
  const form = useRef<HTMLFormElement>(null);
  useTemplatesArrived(draft, templates[0]?.id, (templateId) => setDraft({ ...draft, templateId }));

  const template = templates.find((each) => each.id === draft.templateId) ?? null;
  const missing = missingKeys(template, setKeys);
  const name = draft.name ?? suggestedName(draft, template?.name, nodes.getState().byId);
  const change = (part: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...part }));
    setProblem(null);
    create.reset();
  };
  const submit = () => {
    const found = draftProblem(draft, name, missing);
    setProblem(found);
    if (found === null) create.mutate({ draft, name, template });
    else
      form.current
        ?.querySelector<HTMLElement>(`[data-field="${CSS.escape(found.field)}"]`)
        ?.focus();
  };
  const failure = create.error === null ? null : readProblem(create.error);
  const step = { draft, change, problem };
  return (
    <Dialog
      open
      kind="sheet"
      onOpenChange={() => actions.closePanel()}
      title="New agent"
      footer={
        <>
          <Button onClick={() => actions.closePanel()}>Cancel</Button>
          <Button variant="primary" type="submit" form="create-agent" isBusy={create.isPending}>
            {create.isPending ? "Creating" : "Create agent"}
          </Button>
        </>
      }
    >
      <form
        ref={form}
        id="create-agent"
        className="flex flex-col gap-7"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {failure === null ? null : (
          <p role="alert" className="rounded-md bg-danger-tint px-3 py-2 text-sm text-ink">
            {failure.sentence} {failure.next}
          </p>
        )}
        <WhatStep {...step} name={name} templates={templates} setKeys={setKeys} />
        {draft.templateId === EXTERNAL ? null : (
          <BrainStep {...step} template={template} missing={missing} />
        )}
        <WhereStep {...step} template={template} />
      </form>
    </Dialog>
  );
}

function firstDraft(route: Route & { kind: "new" }, firstTemplateId: string | null): Draft {
  return {
    templateId: route.templateId ?? firstTemplateId,
    name: null,
    role: "",
    model: null,
    keys: {},
    parentId: route.parentId,
    tier: null,
    backend: null,
    prompt: route.prompt ?? "",
  };
}

/** Chooses the first template once there are templates, when the sheet was opened before the snapshot. */
function useTemplatesArrived(
  draft: Draft,
  firstId: string | undefined,
  choose: (id: string) => void,
): void {
  const chooseNow = useEffectEvent(choose);
  const isWaiting = draft.templateId === null && firstId !== undefined;
  useEffect(() => {
    if (isWaiting && firstId !== undefined) chooseNow(firstId);
  }, [isWaiting, firstId]);
}

function suggestedName(
  draft: Draft,
  templateName: string | undefined,
  byId: Readonly<Record<string, { readonly name: string }>>,
): string {
  const wish = draft.templateId === EXTERNAL ? "External agent" : (templateName ?? "Agent");
  return freeName(
    wish,
    Object.values(byId).map((node) => node.name),
  );
}
