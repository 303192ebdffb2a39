import type { TemplateView } from "@molecule/contracts/workspaces";
import type { Runtime } from "@molecule/domain/sets";
import clsx from "clsx";
import { Bot, Cable, KeyRound, SquareTerminal } from "lucide-react";
import { RUNTIME_LABELS } from "../status/model-label.ts";

const ICONS: Readonly<Record<Runtime, typeof Bot>> = {
  demo: Bot,
  "claude-code": SquareTerminal,
  external: Cable,
};

export interface TemplateTileProps {
  template: TemplateView;
  /** Keys that must be entered first. */
  missing: readonly string[];
  isChosen?: boolean;
  onChoose: () => void;
}

/** A template as a tile. */
export function TemplateTile({ template, missing, isChosen, onChoose }: TemplateTileProps) {
  const Icon = ICONS[template.runtime];
  return (
    <button
      type="button"
      {...(isChosen === undefined
        ? {}
        : { role: "radio", "aria-checked": isChosen, tabIndex: isChosen ? 0 : -1 })}
      onClick={onChoose}
      className={clsx(
        "flex flex-col gap-1 rounded-xl border p-3 text-left transition-[border-color,background-color] duration-[120ms] hover:bg-raised",
        isChosen === true
          ? "border-focus bg-tint shadow-[0_0_0_1px_var(--focus)]"
          : "border-line-strong bg-card",
      )}
    >
      <span className="flex w-full items-center gap-2">
        <Icon size={16} className="shrink-0 text-muted" aria-hidden="true" />
        <span className="flex-1 truncate text-sm font-semibold text-ink">{template.name}</span>
        {missing.length === 0 ? null : (
          <KeyRound
            size={13}
            className="shrink-0 text-warn"
            aria-label={`needs ${missing.join(", ")}`}
          />
        )}
      </span>
      <span className="line-clamp-2 text-xs text-muted">{template.description}</span>
      <span className="mt-auto pt-1 text-xs text-muted">{RUNTIME_LABELS[template.runtime]}</span>
    </button>
  );
}
