import clsx from "clsx";
import { useMemo } from "react";
import { lineDiff } from "./line-diff.ts";

/** Lines shown at most; a longer difference says how much is left out. */
const MAX_LINES = 400;
const SIGNS = { same: " ", removed: "−", added: "+" } as const;

/** Two texts as one list of removed and added lines. Sign and word carry the meaning, not only hue. */
export function DiffView({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => lineDiff(before, after), [before, after]);
  return (
    <div className="max-h-80 overflow-auto rounded-lg border bg-page py-1 font-mono text-xs leading-[18px]">
      {lines.slice(0, MAX_LINES).map((line, index) =>
        line.kind === "gap" ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity of their own.
          <p key={index} className="px-3 py-0.5 text-muted">
            {line.count} unchanged {line.count === 1 ? "line" : "lines"}
          </p>
        ) : (
          <p
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity of their own.
            key={index}
            className={clsx(
              "flex gap-2 px-3 whitespace-pre-wrap [overflow-wrap:anywhere]",
              line.kind === "added" && "bg-status-online/12 text-ink",
              line.kind === "removed" && "bg-danger-tint text-muted",
              line.kind === "same" && "text-muted",
            )}
          >
            <span className="shrink-0 select-none" aria-hidden="true">
              {SIGNS[line.kind]}
            </span>
            {line.kind === "same" ? null : <span className="sr-only">{line.kind}: </span>}
            <span className={line.kind === "removed" ? "line-through decoration-muted/50" : ""}>
              {line.text === "" ? " " : line.text}
            </span>
          </p>
        ),
      )}
      {lines.length > MAX_LINES ? (
        <p className="px-3 py-0.5 text-muted">{lines.length - MAX_LINES} more lines differ</p>
      ) : null}
    </div>
  );
}
