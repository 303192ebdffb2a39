"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { connectProgress, whyAwaited } from "@molecule/domain/connect-steps";
import clsx from "clsx";
import { memo, type ReactNode } from "react";
import { Button } from "../../../ui/button.tsx";
import { useNow } from "../../clock/clock.tsx";
import { formatAgo, formatElapsed } from "../../clock/format.ts";
import type { PanelTab } from "../../location/route.ts";
import { isCounting, isRetrying } from "../../status/card-line.ts";
import { ProgressBar } from "../../status/progress-bar.tsx";
import { useOrganisation } from "../../store/node-store.tsx";
import { useWorkspaceActions } from "../../workspace-actions/use-workspace-actions.ts";
import { durationText, untilText } from "../text/time-text.ts";
import {
  attemptReason,
  endSentence,
  type Reason,
  reasonOf,
  restartedSentence,
  restartingSentence,
} from "./model/reason.ts";

export interface ReasonBarProps {
  node: WorkspaceNode;
  /** Opens the tab that explains the reason, or where its cause is mended. */
  onOpen: (tab: PanelTab) => void;
}

/** Why the workspace is in its state, live; nothing while there is nothing to explain. */
export const ReasonBar = memo(function ReasonBar({ node, onOpen }: ReasonBarProps) {
  const reader = useOrganisation()?.member.name ?? null;
  const isRestarted = node.attempt?.readyAt != null;
  const nowMs = useNow(isCounting(node) || isRestarted);
  const reason = reasonOf(node, nowMs, reader);
  if (reason === null) return null;
  return (
    <div
      className={clsx(
        "mx-4 mb-2 rounded-lg px-3 py-2 text-xs",
        reason.kind === "failure"
          ? "bg-danger-tint"
          : reason.kind === "degraded"
            ? "bg-warn-tint"
            : "bg-raised/70",
      )}
    >
      <ReasonText node={node} reason={reason} nowMs={nowMs} onOpen={onOpen} />
    </div>
  );
});

function ReasonText(props: ReasonBarProps & { reason: Reason; nowMs: number }) {
  const { node, reason, nowMs, onOpen } = props;
  switch (reason.kind) {
    case "progress":
      return <ProgressReason node={node} reason={reason} />;
    case "failure":
      return <FailureReason node={node} reason={reason} nowMs={nowMs} onOpen={onOpen} />;
    case "pending":
      return <PendingReason node={node} reason={reason} nowMs={nowMs} />;
    case "paused":
      return (
        <p className="text-muted">
          <Strong>Paused{reason.by === null ? "" : ` by ${reason.by}`}</Strong>
          {reason.atMs === null ? null : ` ${formatAgo(reason.atMs, nowMs)}.`} It takes no messages
          until it is resumed.
        </p>
      );
    case "asleep":
      return (
        <p className="text-muted">
          <Strong>Asleep{reason.by === null ? "" : `, put to sleep by ${reason.by}`}</Strong>
          {reason.atMs === null ? null : ` ${formatAgo(reason.atMs, nowMs)}.`} The next message
          wakes it.
        </p>
      );
    case "degraded":
      return (
        <p className="text-muted">
          <Strong>{Math.round(reason.errorRate * 100)} % of its work fails.</Strong> {reason.cause}
        </p>
      );
    case "awaiting":
      return <AwaitingReason node={node} nowMs={nowMs} onOpen={onOpen} />;
    case "restarted": {
      const ago = formatAgo(reason.atMs, nowMs);
      const { lead, rest } = restartedSentence(reason.reason, ago);
      const more = node.attempt?.detail.merged.length ? "See changes" : "See starts";
      return (
        <Row aside={<SeeMore onClick={() => onOpen("overview")}>{more}</SeeMore>}>
          <p className="text-muted">
            <Strong>{lead}</Strong> {rest} Took {durationText(reason.tookMs)}.
          </p>
        </Row>
      );
    }
  }
}

/** An agent that runs elsewhere: it never came, or it went silent. */
function AwaitingReason({ node, nowMs, onOpen }: ReasonBarProps & { nowMs: number }) {
  const { connect, lastHeartbeatAt } = node;
  const why = whyAwaited(connect, lastHeartbeatAt);
  const steps = connect === null ? null : connectProgress(connect);
  return (
    <Row aside={<SeeMore onClick={() => onOpen("overview")}>See steps</SeeMore>}>
      {why === "token_replaced" ? (
        <p className="text-muted">
          <Strong>Its token was replaced.</Strong> Start the agent with the new one; the one it had
          is refused. Messages wait for it.
        </p>
      ) : why === "silent" && lastHeartbeatAt !== null ? (
        <p className="text-muted">
          <Strong>Its last heartbeat came {formatAgo(Date.parse(lastHeartbeatAt), nowMs)}.</Strong>{" "}
          Start it again where it runs; messages wait for it.
        </p>
      ) : (
        <p className="text-muted">
          <Strong>Waiting for its first heartbeat.</Strong>
          {steps === null ? null : ` ${steps.done} of ${steps.count} steps are done.`}
        </p>
      )}
    </Row>
  );
}

function ProgressReason({
  node,
  reason,
}: {
  node: WorkspaceNode;
  reason: Extract<Reason, { kind: "progress" }>;
}) {
  const reader = useOrganisation()?.member.name ?? null;
  const { attempt } = node;
  const { progress } = reason;
  const { lead, rest } = restartingSentence(attempt === null ? "" : attemptReason(attempt, reader));
  return (
    <div>
      {attempt === null || attempt.reason === "create" ? null : (
        <p className="mb-1 text-muted">
          <Strong>{lead}</Strong> {rest}
        </p>
      )}
      <div className="flex items-baseline justify-between gap-3 text-muted">
        <p>
          {progress.stageNo}/{progress.stageCount} <Strong>{progress.label}</Strong>
        </p>
        <p className={clsx("shrink-0", progress.isSlow && "text-warn")}>
          {formatElapsed(progress.elapsedMs)}
          {progress.expectedMs === null ? "" : ` of about ${formatElapsed(progress.expectedMs)}`}
          {progress.isSlow ? " · slower than usual" : ""}
        </p>
      </div>
      <ProgressBar attemptNo={node.attempt?.no ?? 0} progress={progress} className="mt-1.5" />
    </div>
  );
}

function FailureReason(props: {
  node: WorkspaceNode;
  reason: Extract<Reason, { kind: "failure" }>;
  nowMs: number;
  onOpen: (tab: PanelTab) => void;
}) {
  const { node, reason, nowMs, onOpen } = props;
  const actions = useWorkspaceActions();
  const code = node.failure?.code;
  const needsKey = code === "missing_required_key" || code === "secret_unreadable";
  const way = needsKey ? (
    <Button size="sm" onClick={() => onOpen("configure")}>
      Set the key
    </Button>
  ) : (
    <SeeMore onClick={() => onOpen("overview")}>Attempts</SeeMore>
  );
  const text = (
    <p className="text-muted [overflow-wrap:anywhere]">
      <span className="font-medium text-danger">{reason.sentence}</span> {reason.next}
      {reason.retryAtMs === null
        ? null
        : ` Next try ${inText(new Date(reason.retryAtMs).toISOString(), nowMs)}.`}
    </p>
  );
  if (!isRetrying(node)) return <Row aside={way}>{text}</Row>;
  return (
    <div className="flex flex-col gap-2">
      {text}
      <div className="flex items-center gap-2">
        <Button size="sm" onClick={() => void actions.stopTrying(node.id)}>
          Stop trying
        </Button>
        {way}
      </div>
    </div>
  );
}

function PendingReason(props: {
  node: WorkspaceNode;
  reason: Extract<Reason, { kind: "pending" }>;
  nowMs: number;
}) {
  const { node, reason, nowMs } = props;
  const actions = useWorkspaceActions();
  const due = reason.dueAtMs === null ? null : new Date(reason.dueAtMs).toISOString();
  // Applying waits for running tasks; who does not want to wait for them restarts.
  const isWaiting = reason.wait === "turns";
  const act = isWaiting ? actions.restart : actions.applyNow;
  const isDue = due !== null && untilText(due, nowMs) === "now" && !isWaiting;
  const when = isWaiting
    ? `Restarts when the running task ends${limitText(node.pending?.waitsUntil ?? null)}:`
    : due === null
      ? "Saved, not running yet:"
      : `Restarts ${inText(due, nowMs)}:`;
  return (
    <Row
      aside={
        isDue ? null : (
          <Button size="sm" onClick={() => void act(node.id)}>
            {isWaiting ? "Restart now" : reason.wait === "held" ? "Apply" : "Apply now"}
          </Button>
        )
      }
    >
      <p className="text-muted">
        <Strong>{when}</Strong> {endSentence(reason.sentence)}
      </p>
    </Row>
  );
}

function Row({ aside, children }: { aside: ReactNode; children: ReactNode }) {
  return (
    <div className="flex items-center gap-3">
      <div className="min-w-0 flex-1">{children}</div>
      {aside}
    </div>
  );
}

function SeeMore({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <Button variant="ghost" size="sm" className="-my-1 -mr-1.5" onClick={onClick}>
      {children}
    </Button>
  );
}

function Strong({ children }: { children: ReactNode }) {
  return <span className="font-medium text-ink">{children}</span>;
}

/** ", at 12:14 at the latest", in the reader's time zone; empty without a limit. */
function limitText(iso: string | null): string {
  if (iso === null) return "";
  const time = new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return `, at ${time} at the latest`;
}

const inText = (iso: string, nowMs: number) => {
  const left = untilText(iso, nowMs);
  return left === "now" ? "now" : `in ${left}`;
};
