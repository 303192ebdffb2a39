"use client";
import type { TemplateView } from "@molecule/contracts/workspaces";
import clsx from "clsx";
import { Cable, TriangleAlert } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { Field, Input, Textarea } from "../../ui/field.tsx";
import { ChooseFiles } from "../import/choose-files.tsx";
import { useTake } from "../import/use-take.ts";
import { EXTERNAL, missingKeys, searchTemplates } from "./draft.ts";
import { RemoveTemplate } from "./remove-template.tsx";
import { errorOf, Step, type StepProps } from "./step.tsx";
import { TemplateTile } from "./template-tile.tsx";

/** More templates than this are searched. */
const SEARCH_FROM = 8;

export interface WhatStepProps extends StepProps {
  name: string;
  templates: readonly TemplateView[];
  /** Those that cannot be chosen, with their causes. */
  broken: readonly TemplateView[];
  setKeys: readonly string[];
  onImported: (id: string) => void;
  /** An imported template may be gone, so what can be chosen is asked for again. */
  onRemoved: () => void;
}

/** Template or external, name, role and the first message. */
export function WhatStep(props: WhatStepProps) {
  const { draft, change, problem, name, templates, broken, setKeys, onImported, onRemoved } = props;
  const chosen = templates.find(({ id }) => id === draft.templateId);
  const isExternal = draft.templateId === EXTERNAL;
  const [search, setSearch] = useState("");
  const shown = searchTemplates(templates, search);
  const { take, isTaking } = useTake({ onTemplate: onImported });
  const choose = (templateId: string) =>
    change({ templateId, provider: null, model: null, keys: {}, tier: null });
  return (
    <Step title="What">
      {templates.length > SEARCH_FROM ? (
        <Input
          type="search"
          aria-label="Search templates"
          placeholder={`Search ${templates.length} templates`}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      ) : null}
      <div
        role="radiogroup"
        aria-label="Template"
        className={clsx(
          "grid grid-cols-2 gap-2",
          // The whole of a long list is looked through in a window of its own.
          templates.length > SEARCH_FROM && "max-h-96 overflow-y-auto p-px",
        )}
        onKeyDown={moveChoice}
      >
        {shown.length === 0 ? (
          <p role="status" className="col-span-2 px-1 py-3 text-sm text-muted wrap-anywhere">
            {templates.length === 0
              ? "There is no template yet. Import one below, or bring your own agent."
              : `No template has “${search.trim()}” in it.`}
          </p>
        ) : null}
        {shown.map((template) => (
          <TemplateTile
            key={template.id}
            template={template}
            missing={missingKeys(template, setKeys)}
            isChosen={draft.templateId === template.id}
            onChoose={() => choose(template.id)}
          />
        ))}
        {/* biome-ignore lint/a11y/useSemanticElements: a tile among tiles, which are no inputs */}
        <button
          type="button"
          role="radio"
          aria-checked={isExternal}
          tabIndex={isExternal ? 0 : -1}
          onClick={() => choose(EXTERNAL)}
          className={clsx(
            "col-span-2 flex items-center gap-2 rounded-xl border px-3 py-2.5 text-left transition-[border-color,background-color] duration-[120ms] hover:bg-raised",
            isExternal
              ? "border-focus bg-tint shadow-[0_0_0_1px_var(--focus)]"
              : "border-line-strong bg-card",
          )}
        >
          <Cable size={16} className="shrink-0 text-muted" aria-hidden="true" />
          <span className="text-sm font-semibold text-ink">Bring your own agent</span>
          <span className="ml-auto text-xs text-muted">runs where you run it</span>
        </button>
      </div>
      {chosen === undefined ? null : (
        <RemoveTemplate key={chosen.id} template={chosen} onRemoved={onRemoved} />
      )}
      <BrokenTemplates broken={broken} onRemoved={onRemoved} />
      <div className="flex flex-wrap items-center justify-between gap-x-4">
        <ChooseFiles isQuiet isBusy={isTaking} onTaken={(taken) => void take(taken)} />
        <p className="text-xs text-muted pointer-coarse:hidden">
          or drop it here: a template, or a team
        </p>
      </div>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Name" error={errorOf(problem, "name")}>
          {(ids) => (
            <Input
              {...ids}
              data-field="name"
              data-initial-focus
              value={name}
              maxLength={255}
              autoComplete="off"
              onChange={(event) => change({ name: event.target.value })}
            />
          )}
        </Field>
        <Field label="Role" error={errorOf(problem, "role")} aside={<Optional />}>
          {(ids) => (
            <Input
              {...ids}
              data-field="role"
              placeholder="What colleagues ask it for"
              value={draft.role}
              maxLength={1000}
              autoComplete="off"
              onChange={(event) => change({ role: event.target.value })}
            />
          )}
        </Field>
      </div>
      {isExternal ? null : (
        <Field label="First message" aside={<Optional />}>
          {(ids) => (
            <Textarea
              {...ids}
              value={draft.prompt}
              placeholder="Sent as soon as it is online"
              className="max-h-40"
              onChange={(event) => change({ prompt: event.target.value })}
            />
          )}
        </Field>
      )}
    </Step>
  );
}

/** Templates that are there and cannot be used, so that nobody looks for them in vain. */
function BrokenTemplates(props: { broken: readonly TemplateView[]; onRemoved: () => void }) {
  const { broken, onRemoved } = props;
  if (broken.length === 0) return null;
  return (
    <ul aria-label="Templates that cannot be used" className="flex flex-col gap-1.5">
      {broken.map((template) => (
        <li
          key={template.id}
          className="flex flex-col gap-1.5 rounded-md bg-raised px-3 py-2 text-xs"
        >
          <span className="flex gap-2">
            <TriangleAlert size={14} className="mt-px shrink-0 text-warn" aria-hidden="true" />
            <span className="min-w-0 break-words">
              <span className="font-semibold text-ink">{template.id}</span>{" "}
              <span className="text-muted">cannot be used: {template.broken}</span>
            </span>
          </span>
          <RemoveTemplate template={template} onRemoved={onRemoved} />
        </li>
      ))}
    </ul>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

/** Arrow keys choose within the group, as they do in every radio group. */
function moveChoice(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key];
  if (step === undefined) return;
  const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="radio"]')];
  const at = tiles.indexOf(event.target as HTMLElement);
  const next = tiles[(at + step + tiles.length) % tiles.length];
  if (at < 0 || next === undefined) return;
  event.preventDefault();
  next.focus();
  next.click();
}

function Optional() {
  return <span className="text-xs text-muted">optional</span>;
}
