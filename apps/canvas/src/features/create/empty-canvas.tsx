"use client";
import { ArrowUp, Cable, FolderInput, type LucideIcon } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { navigate } from "../location/use-route.ts";
import { useOrganisation } from "../store/node-store.tsx";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import { EXTERNAL, missingKeys, orderedTemplates } from "./draft.ts";
import { TemplateTile } from "./template-tile.tsx";

/** The canvas before the first agent: one question, and a few ways to answer it. */
export function EmptyCanvas() {
  const actions = useWorkspaceActions();
  const organisation = useOrganisation();
  const [prompt, setPrompt] = useState("");
  const setKeys = organisation?.globalSecretKeys ?? [];
  const templates = orderedTemplates(organisation?.templates ?? [], setKeys).slice(0, 4);
  const begin = (templateId: string | null) =>
    navigate({
      kind: "new",
      templateId,
      parentId: null,
      prompt: prompt.trim() === "" ? null : prompt.trim(),
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    begin(null);
  };
  return (
    <div className="dotted flex h-full overflow-y-auto p-5">
      <div className="m-auto flex w-full max-w-[640px] animate-enter flex-col gap-6 py-6">
        <h1 className="text-center text-xl font-semibold tracking-tight text-balance text-ink">
          What should your first agent do?
        </h1>
        <form
          onSubmit={submit}
          className="flex flex-col rounded-2xl border border-line-strong bg-card shadow-lift focus-within:border-focus"
        >
          <textarea
            // biome-ignore lint/a11y/noAutofocus: the page asks one question, and this is where it is answered
            autoFocus={matchMedia("(pointer: fine)").matches}
            aria-label="What should your first agent do?"
            placeholder="For example: keep a list of open questions, and write a plan for each"
            value={prompt}
            className="field-sizing-content max-h-60 min-h-20 resize-none bg-transparent px-4 pt-3.5 text-md text-ink outline-none"
            onChange={(event) => setPrompt(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing)
                submit(event);
            }}
          />
          <div className="flex items-center justify-end p-2.5 pt-1">
            <button
              type="submit"
              aria-label="Continue"
              className="inline-flex size-8 items-center justify-center rounded-full bg-action text-action-ink transition-colors duration-[120ms] hover:bg-action-hover pointer-coarse:size-11"
            >
              <ArrowUp size={16} aria-hidden="true" />
            </button>
          </div>
        </form>
        <div className="flex flex-col gap-2.5">
          <p className="text-center text-xs text-muted">or start from a template</p>
          <div className="grid grid-cols-1 gap-2.5 sm:grid-cols-2">
            {templates.map((template) => (
              <TemplateTile
                key={template.id}
                template={template}
                missing={missingKeys(template, setKeys)}
                onChoose={() => begin(template.id)}
              />
            ))}
          </div>
          <div className="mt-1 flex flex-wrap justify-center gap-x-2">
            <OtherWay icon={Cable} onClick={() => begin(EXTERNAL)}>
              Bring your own agent
            </OtherWay>
            <OtherWay icon={FolderInput} onClick={() => actions.importTeam(null)}>
              Import a team
            </OtherWay>
          </div>
        </div>
      </div>
    </div>
  );
}

function OtherWay(props: { icon: LucideIcon; onClick: () => void; children: ReactNode }) {
  const Icon = props.icon;
  return (
    <button
      type="button"
      onClick={props.onClick}
      className="inline-flex h-9 items-center gap-2 rounded-md px-3 text-sm text-muted hover:bg-hover hover:text-ink pointer-coarse:h-11"
    >
      <Icon size={15} aria-hidden="true" />
      {props.children}
    </button>
  );
}
