"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { whyAwaited } from "@molecule/domain/connect-steps";
import clsx from "clsx";
import { CornerDownRight, RotateCw, Wrench } from "lucide-react";
import type { ReactNode } from "react";
import { useClock, useNow } from "../clock/clock.tsx";
import { formatDuration, formatElapsed } from "../clock/format.ts";
import { Ago, Elapsed, Until } from "../clock/moving-time.tsx";
import type { PanelTab } from "../location/route.ts";
import { useOrganisation } from "../store/node-store.tsx";
import { type CardLine, cardLine, isCounting } from "./card-line.ts";
import { ProgressBar } from "./progress-bar.tsx";

/** What a card's buttons do. */
export interface CardLineActions {
  open(id: string, tab: PanelTab): void;
  restart(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  applyNow(id: string): Promise<void>;
}

export interface CardLineViewProps {
  node: WorkspaceNode;
  actions: CardLineActions;
  /** Lines of text that a sentence may take. */
  lines?: 1 | 2;
}

/** The lower part of a card: what matters most about the workspace now, with what can be done about it. */
export function CardLineView({ node, actions, lines = 2 }: CardLineViewProps) {
  const clock = useClock();
  useNow(isCounting(node));
  const reader = useOrganisation()?.member.name ?? null;
  const line = cardLine(node, clock.nowMs(), reader);
  return (
    <div className="flex min-w-0 flex-col gap-1 text-xs">
      {drawLine(line, { node, actions, lines })}
    </div>
  );
}

function drawLine(
  line: CardLine,
  { node, actions, lines }: Required<CardLineViewProps>,
): ReactNode {
  const clamp = lines === 1 ? "truncate" : "line-clamp-2";
  switch (line.kind) {
    case "progress":
      return <ProgressLine line={line} attemptNo={node.attempt?.no ?? 0} />;
    case "failure":
      return <FailureLine line={line} node={node} actions={actions} clamp={clamp} />;
    case "pending":
      return <PendingLine line={line} node={node} actions={actions} />;
    case "paused":
      return (
        <Row
          text={
            <span className="text-muted">
              {line.by === null ? "Paused" : `By ${line.by}`}
              {line.atMs === null ? null : <> · {<Ago atMs={line.atMs} />}</>}
            </span>
          }
          end={<CardButton onClick={() => void actions.resume(node.id)}>Resume</CardButton>}
        />
      );
    case "asleep":
      return (
        <Row
          text={
            <span className="text-muted">
              Wakes on a message
              {line.atMs === null ? null : <> · {<Ago atMs={line.atMs} />}</>}
            </span>
          }
          end={<CardButton onClick={() => void actions.resume(node.id)}>Wake</CardButton>}
        />
      );
    case "degraded":
      return (
        <p className={clsx(clamp, "text-ink")} title={line.cause}>
          <span className="text-warn">{Math.round(line.errorRate * 100)}% errors</span>
          {line.cause === "" ? null : <> · {line.cause}</>}
        </p>
      );
    case "awaiting":
      return (
        <Row
          text={<span className="text-muted">{awaitingText(node)}</span>}
          end={<CardButton onClick={() => actions.open(node.id, "overview")}>Connect</CardButton>}
        />
      );
    case "task":
      return (
        <Row
          text={
            <span className={clsx(clamp, "text-ink")} title={line.text}>
              {line.text}
            </span>
          }
          end={line.sinceMs === null ? null : <Elapsed sinceMs={line.sinceMs} />}
        />
      );
    case "restarted":
      return (
        <p className={clsx(clamp, "text-muted")} title={line.reason}>
          Restarted <Ago atMs={line.atMs} />: {line.reason}. Took {formatDuration(line.tookMs)}.
        </p>
      );
    case "last":
      return (
        <Row
          text={
            <span className={clsx(clamp, "text-muted")} title={line.summary}>
              {line.summary}
            </span>
          }
          end={<Ago atMs={line.atMs} />}
        />
      );
    case "quiet":
      return <p className="text-muted">{line.text}</p>;
  }
}

function awaitingText({ connect, lastHeartbeatAt }: WorkspaceNode): ReactNode {
  const why = whyAwaited(connect, lastHeartbeatAt);
  if (why === "token_replaced") return "Token replaced, waiting for the agent";
  if (why === "first_beat" || lastHeartbeatAt === null) return "Waiting for first heartbeat";
  return (
    <>
      Last heartbeat <Ago atMs={Date.parse(lastHeartbeatAt)} />
    </>
  );
}

function ProgressLine({
  line,
  attemptNo,
}: {
  line: CardLine & { kind: "progress" };
  attemptNo: number;
}) {
  const { progress, reason } = line;
  const { stageNo, stageCount, label, detail, elapsedMs, expectedMs, isSlow } = progress;
  const above = reason ?? (isSlow ? "slower than usual" : null);
  const isUsual = expectedMs !== null && !isSlow;
  return (
    <>
      {above === null ? null : (
        <p className={clsx("truncate", reason === null ? "text-warn" : "text-muted")} title={above}>
          {capitalised(above)}
        </p>
      )}
      <Row
        text={
          <span className="truncate text-ink" title={detail ?? undefined}>
            <span className="text-muted">
              {stageNo}/{stageCount}
            </span>{" "}
            {detail ?? label}
          </span>
        }
        end={
          <span
            className={clsx(isSlow && "text-warn")}
            title={isSlow ? "Slower than usual" : undefined}
          >
            {formatElapsed(elapsedMs)}
            {isUsual ? ` of about ${formatElapsed(expectedMs)}` : null}
          </span>
        }
      />
      <ProgressBar attemptNo={attemptNo} progress={progress} className="mt-0.5" />
    </>
  );
}

interface FailureLineProps {
  line: CardLine & { kind: "failure" };
  node: WorkspaceNode;
  actions: CardLineActions;
  clamp: string;
}

function FailureLine({ line, node, actions, clamp }: FailureLineProps) {
  return (
    <>
      <p className={clsx(clamp, "text-ink")} title={`${line.sentence} ${line.next}`}>
        {line.sentence}
      </p>
      <div className="mt-0.5 flex items-center gap-1.5">
        <CardButton onClick={() => actions.open(node.id, fixTab(node))} title={line.next}>
          <Wrench size={12} aria-hidden="true" />
          Fix
        </CardButton>
        <CardButton onClick={() => void actions.restart(node.id)}>
          <RotateCw size={12} aria-hidden="true" />
          Retry
        </CardButton>
        {line.retryAtMs === null ? null : (
          <span className="ml-auto truncate text-muted">
            next try in <Until atMs={line.retryAtMs} />
          </span>
        )}
      </div>
    </>
  );
}

/** Where a failure is put right. */
function fixTab(node: WorkspaceNode): PanelTab {
  const code = node.failure?.code;
  if (code === "missing_required_key" || code === "secret_unreadable") return "configure";
  return "overview";
}

function PendingLine({
  line,
  node,
  actions,
}: {
  line: CardLine & { kind: "pending" };
  node: WorkspaceNode;
  actions: CardLineActions;
}) {
  // Applying waits for running tasks; who does not want to wait for them restarts.
  const isWaiting = line.wait === "turns";
  const act = isWaiting ? actions.restart : actions.applyNow;
  return (
    <>
      <p className="flex min-w-0 items-center gap-1.5 text-ink" title={line.sentence}>
        <CornerDownRight size={12} className="shrink-0 text-warn" aria-hidden="true" />
        <span className="truncate">{capitalised(line.sentence)}</span>
      </p>
      <Row
        text={<span className="truncate text-muted">{pendingWhen(line)}</span>}
        end={
          <CardButton onClick={() => void act(node.id)}>
            {isWaiting ? "Restart now" : "Apply now"}
          </CardButton>
        }
      />
    </>
  );
}

function pendingWhen(line: CardLine & { kind: "pending" }): ReactNode {
  if (line.wait === "turns") return "Restarts when its task ends";
  if (line.wait === "held" || line.dueAtMs === null) return "Not running yet";
  return (
    <>
      Restart in <Until atMs={line.dueAtMs} />
    </>
  );
}

function Row({ text, end }: { text: ReactNode; end: ReactNode }) {
  return (
    <div className="flex min-w-0 items-baseline justify-between gap-2">
      <span className="flex min-w-0 flex-1">{text}</span>
      {end === null ? null : <span className="shrink-0 text-muted">{end}</span>}
    </div>
  );
}

/** A small button on a card: it never drags the card or opens its panel, and is no tab stop of its own. */
function CardButton(props: { onClick: () => void; title?: string; children: ReactNode }) {
  return (
    <button
      type="button"
      tabIndex={-1}
      title={props.title}
      className="nodrag nopan pointer-events-auto -my-0.5 inline-flex h-6 items-center gap-1 rounded-md border border-line-strong bg-raised px-2 text-xs font-medium text-ink transition-colors duration-[120ms] hover:bg-hover"
      onClick={(event) => {
        event.stopPropagation();
        props.onClick();
      }}
    >
      {props.children}
    </button>
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
