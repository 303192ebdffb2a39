"use client";
import clsx from "clsx";
import { CircleDashed, CircleX, RotateCw } from "lucide-react";
import { useId } from "react";
import { Button } from "../../ui/button.tsx";
import { StatusGlyph } from "../status/status-glyph.tsx";
import { statusView } from "../status/status-view.ts";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";
import type { ProgressRow } from "./model/progress.ts";

const MAX_INDENT = 6;

/** Agents of an import, one line each: where it stands, and what helps it. */
export function ProgressList(props: {
  title: string;
  rows: readonly ProgressRow[];
  /** The same rows stand above with their buttons. */
  isQuiet?: boolean;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="flex flex-col gap-2">
      <h3 id={id} className="text-xs font-medium text-muted">
        {props.title}
      </h3>
      <ul className="divide-y rounded-lg border">
        {props.rows.map((row) => (
          <Row key={row.position} row={row} isQuiet={props.isQuiet === true} />
        ))}
      </ul>
    </section>
  );
}

function Row({ row, isQuiet }: { row: ProgressRow; isQuiet: boolean }) {
  const actions = useWorkspaceActions();
  const { node, text, isWaiting, isProblem, missing, workspaceId } = row;
  const status = node === null || isWaiting ? null : statusView(node);
  const lacks = missing.length === 0 ? null : `Lacks ${missing.join(", ")}`;
  const word = isWaiting ? "Waits for its turn to start" : status?.word;
  const line = [word, text, lacks].filter(Boolean).join(" · ");
  const indent = isQuiet ? Math.min(row.level, MAX_INDENT) * 16 : 0;
  return (
    <li
      className="flex min-h-11 items-center gap-2 py-1.5 pr-2"
      style={{ paddingLeft: 12 + indent }}
    >
      {status !== null ? (
        <StatusGlyph status={status} />
      ) : isProblem ? (
        <CircleX size={14} className="shrink-0 text-danger" aria-hidden="true" />
      ) : (
        <CircleDashed size={14} className="shrink-0 text-muted" aria-hidden="true" />
      )}
      <span className="min-w-0 flex-1">
        {node === null || workspaceId === null ? (
          <span className="block truncate text-sm text-ink">{row.name}</span>
        ) : (
          <button
            type="button"
            title={row.path}
            className="block max-w-full truncate text-left text-sm text-ink hover:underline"
            onClick={() => actions.open(workspaceId)}
          >
            {row.name}
          </button>
        )}
        <span
          className={clsx(
            "block text-xs",
            isQuiet ? "truncate" : "[overflow-wrap:anywhere]",
            isProblem ? "text-danger" : "text-muted",
          )}
        >
          {line}
        </span>
      </span>
      {!isQuiet && row.help === "retry" && workspaceId !== null ? (
        <Button
          size="sm"
          aria-label={`Try ${row.name} again`}
          icon={<RotateCw size={12} aria-hidden="true" />}
          onClick={() => void actions.restart(workspaceId)}
        >
          Try again
        </Button>
      ) : null}
    </li>
  );
}
