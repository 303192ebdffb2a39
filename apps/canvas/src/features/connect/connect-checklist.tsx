"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { type ConnectStep, connectProgress, connectSteps } from "@molecule/domain/connect-steps";
import clsx from "clsx";
import { CircleCheck, CircleDashed } from "lucide-react";
import { Ago } from "../clock/moving-time.tsx";

/** How far an agent has come, as its node says. */
export type ConnectState = NonNullable<WorkspaceNode["connect"]>;

/** The four steps of a connection, each with its time or with what is to be done about it. */
export function ConnectChecklist({ connect }: { connect: ConnectState }) {
  const steps = connectSteps(connect);
  const { done, count } = connectProgress(connect);
  const next = steps.find((step) => step.at === null)?.key ?? null;
  return (
    <div>
      <p className="sr-only" role="status">
        {done} of {count} steps of the connection are done
      </p>
      <ol aria-label="Steps of the connection" className="flex flex-col gap-2.5">
        {steps.map((step) => (
          <Step key={step.key} step={step} isNext={step.key === next} />
        ))}
      </ol>
    </div>
  );
}

function Step({ step, isNext }: { step: ConnectStep; isNext: boolean }) {
  const isDone = step.at !== null;
  const Glyph = isDone ? CircleCheck : CircleDashed;
  return (
    <li className="flex min-w-0 gap-2.5">
      <Glyph
        size={16}
        aria-hidden="true"
        className={clsx(
          "mt-0.5 shrink-0",
          isDone ? "text-status-online" : isNext ? "text-status-awaiting" : "text-muted",
        )}
      />
      <div className="min-w-0 flex-1">
        <p className="flex items-baseline justify-between gap-3 text-sm">
          <span className={isDone || isNext ? "text-ink" : "text-muted"}>
            {step.title}
            <span className="sr-only">{isDone ? ": done" : ": missing"}</span>
          </span>
          <span className="shrink-0 text-xs text-muted">
            {step.at === null ? null : <Ago atMs={Date.parse(step.at)} />}
          </span>
        </p>
        {step.todo === null ? null : <p className="text-xs text-muted">{step.todo}</p>}
      </div>
    </li>
  );
}
