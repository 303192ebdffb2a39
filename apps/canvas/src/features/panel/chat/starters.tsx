"use client";
import { ArrowUpRight } from "lucide-react";
import { useNodes } from "../../store/node-store.tsx";

const DEFAULT_STARTERS = [
  "Introduce yourself. What can you do?",
  "Which model and settings are you running with?",
  "List the files in your workspace.",
] as const;

/** The empty chat: what this agent is good for, as messages to send with one click. */
export function Starters(props: {
  workspaceId: string;
  name: string;
  onChoose: (text: string) => void;
}) {
  const { workspaceId, name, onChoose } = props;
  const prompts = useNodes((state) => {
    const templateId = state.byId[workspaceId]?.template;
    const template = state.organisation?.templates.find((each) => each.id === templateId);
    return template?.starterPrompts;
  });
  const shown = prompts === undefined || prompts.length === 0 ? DEFAULT_STARTERS : prompts;
  return (
    <div className="flex flex-1 flex-col justify-end gap-3 pb-4">
      <div>
        <h3 className="text-md font-semibold text-ink">Say something to {name}</h3>
        <p className="text-sm text-muted">Or start with one of these.</p>
      </div>
      <ul className="flex flex-col gap-1.5">
        {shown.slice(0, 4).map((prompt) => (
          <li key={prompt}>
            <button
              type="button"
              onClick={() => onChoose(prompt)}
              className="group flex min-h-9 w-full items-center gap-2 rounded-lg border px-3 py-1.5 text-left text-sm text-ink transition-colors duration-[120ms] hover:border-line-strong hover:bg-raised pointer-coarse:min-h-11"
            >
              <span className="min-w-0 flex-1">{prompt}</span>
              <ArrowUpRight
                size={14}
                className="shrink-0 text-muted opacity-0 transition-opacity duration-[120ms] group-hover:opacity-100"
                aria-hidden="true"
              />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
