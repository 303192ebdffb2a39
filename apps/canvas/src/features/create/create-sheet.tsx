"use client";
import { useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { readProblem } from "../../trpc/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import type { Route } from "../location/route.ts";
import { useNodeStore } from "../store/node-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { brainOf, openNeeds } from "./brain.ts";
import { BrainStep } from "./brain-step.tsx";
import {
  brokenTemplates,
  type Draft,
  type DraftProblem,
  draftProblem,
  EXTERNAL,
  freeName,
  orderedTemplates,
} from "./draft.ts";
import { useChoices } from "./use-choices.ts";
import { useCreate } from "./use-create.ts";
import { WhatStep } from "./what-step.tsx";
import { WhereStep } from "./where-step.tsx";

/** Everything about a new agent on one sheet: what it is, what it thinks with, where it runs. */
export function CreateSheet({ route }: { route: Route & { kind: "new" } }) {
  const actions = useWorkspaceActions();
  const nodes = useNodeStore();
  const { templates: all, setKeys, reload } = useChoices();
  // In the order of when the sheet was opened: a key that is set meanwhile moves no tile.
  const [keysAtFirst] = useState(setKeys);
  const templates = useMemo(() => orderedTemplates(all, keysAtFirst), [all, keysAtFirst]);
  const [draft, setDraft] = useState<Draft>(() => firstDraft(route, templates[0]?.id ?? null));
  const [problem, setProblem] = useState<DraftProblem | null>(null);
  const create = useCreate();
  const form = useRef<HTMLFormElement>(null);
  const template = templates.find((each) => each.id === draft.templateId) ?? null;
  const isChosen = template !== null || draft.templateId === EXTERNAL;
  useTemplatesArrived(isChosen, templates[0]?.id, (templateId) =>
    setDraft({ ...draft, templateId }),
  );
  const brain = template === null ? null : brainOf(template, draft);
  const name = draft.name ?? suggestedName(draft, template?.name, nodes.getState().byId);
  const change = (part: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...part }));
    setProblem(null);
    create.reset();
  };
  const submit = () => {
    const found = draftProblem(draft, name, brain, openNeeds(brain?.needs ?? [], setKeys));
    setProblem(found);
    if (found === null) create.mutate({ draft, name, template, brain });
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
        <WhatStep
          {...step}
          name={name}
          templates={templates}
          broken={brokenTemplates(all)}
          setKeys={setKeys}
          onImported={(templateId) => {
            void reload().then(() => change({ ...UNTOUCHED, templateId }));
          }}
          onRemoved={() => void reload()}
        />
        {template === null || brain === null ? null : (
          <BrainStep {...step} template={template} brain={brain} setKeys={setKeys} />
        )}
        <WhereStep {...step} template={template} />
      </form>
    </Dialog>
  );
}

/** What belongs to the chosen template and begins anew with another one. */
const UNTOUCHED = { provider: null, model: null, keys: {}, tier: null } as const;

function firstDraft(route: Route & { kind: "new" }, firstTemplateId: string | null): Draft {
  return {
    templateId: route.templateId ?? firstTemplateId,
    name: null,
    role: "",
    ...UNTOUCHED,
    parentId: route.parentId,
    backend: null,
    prompt: route.prompt ?? "",
  };
}

/** Chooses the first template while none that is there is chosen: before the snapshot, after a removal. */
function useTemplatesArrived(
  isChosen: boolean,
  firstId: string | undefined,
  choose: (id: string) => void,
): void {
  const chooseNow = useEffectEvent(choose);
  const isWaiting = !isChosen && firstId !== undefined;
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
