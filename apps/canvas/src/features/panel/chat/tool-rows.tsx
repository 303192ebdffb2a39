import { ChevronRight, Wrench } from "lucide-react";
import type { ToolCall } from "./model/a2a-reply.ts";

/** What an agent did on the way to its answer: one line, opened for the list. */
export function ToolRows({ tools, isWorking }: { tools: readonly ToolCall[]; isWorking: boolean }) {
  const latest = tools.at(-1);
  if (latest === undefined) return null;
  const summary =
    isWorking || tools.length === 1
      ? `${latest.name} ${latest.detail}`
      : `Used ${tools.length} tools`;
  return (
    <details className="group text-xs">
      <summary className="-ml-1 flex h-6 w-fit max-w-full list-none items-center gap-1.5 rounded-md px-1 text-muted select-none hover:text-ink pointer-coarse:h-11">
        <ChevronRight
          size={13}
          className="shrink-0 transition-transform duration-[120ms] group-open:rotate-90"
          aria-hidden="true"
        />
        <Wrench size={13} className="shrink-0" aria-hidden="true" />
        <span className="min-w-0 truncate">{summary}</span>
      </summary>
      <ol className="my-1 ml-1 flex flex-col gap-1.5 border-l pl-3">
        {tools.map((tool, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: calls only ever grow at the end.
          <li key={index} className="flex gap-2">
            <span className="shrink-0 font-medium text-ink">{tool.name}</span>
            <span className="min-w-0 font-mono text-muted select-text [overflow-wrap:anywhere]">
              {tool.detail}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
