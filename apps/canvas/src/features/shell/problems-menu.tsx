"use client";
import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { SweepHoldKind } from "@molecule/domain/sets";
import clsx from "clsx";
import { CircleCheck, Hand, PackageX, Server, ServerOff, TriangleAlert } from "lucide-react";
import { useRef, useState } from "react";
import { Menu, MenuItem, MenuLabel } from "../../ui/menu.tsx";
import { ApprovalDialog } from "../approvals/approval-dialog.tsx";
import { approvalLine } from "../approvals/approval-text.ts";
import { useApprovals } from "../approvals/use-approvals.ts";
import { Until } from "../clock/moving-time.tsx";
import { StatusGlyph } from "../status/status-glyph.tsx";
import { statusView } from "../status/status-view.ts";
import { useNodesShallow, useOrganisation } from "../store/node-store.tsx";
import { HoldDialog } from "../sweeps/hold-dialog.tsx";
import { holdText } from "../sweeps/hold-text.ts";
import { useSweepHolds } from "../sweeps/use-sweep-holds.ts";
import { useWorkspaceActions } from "../workspace-actions/use-workspace-actions.ts";

/** What needs a person, each with the way to it. */
export function ProblemsMenu() {
  const actions = useWorkspaceActions();
  const platform = useOrganisation()?.platform;
  const problems = useNodesShallow((state) => Object.values(state.byId).filter(isProblem));
  const isWorkerGone = platform?.hasWorker === false;
  const [isOpen, setIsOpen] = useState(false);
  const [holdId, setHoldId] = useState<string | null>(null);
  const { holds, openCount } = useSweepHolds(isOpen);
  const [approvalId, setApprovalId] = useState<string | null>(null);
  const approvals = useApprovals();
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setHoldId(null);
    setApprovalId(null);
    // The menu's item that had the focus is gone by now.
    requestAnimationFrame(() => button.current?.focus());
  };
  const asked = holds.find(({ id }) => id === holdId);
  const requested = approvals.find(({ id }) => id === approvalId);
  const count = problems.length + openCount + approvals.length + (isWorkerGone ? 1 : 0);
  const label = count === 0 ? "No problems" : count === 1 ? "1 problem" : `${count} problems`;
  const trigger = (
    <button
      ref={button}
      type="button"
      aria-label={label}
      className={clsx(
        "inline-flex h-8 items-center gap-1.5 rounded-md px-2 text-xs font-medium hover:bg-hover data-[state=open]:bg-hover pointer-coarse:h-11",
        count === 0 ? "text-muted" : "text-danger",
      )}
    >
      {count === 0 ? (
        <CircleCheck size={16} aria-hidden="true" />
      ) : (
        <TriangleAlert size={16} aria-hidden="true" />
      )}
      {count === 0 ? null : count}
    </button>
  );
  return (
    <>
      <Menu trigger={trigger} label="Problems" onOpenChange={setIsOpen}>
        <MenuLabel>{label}</MenuLabel>
        {isWorkerGone ? (
          <MenuItem icon={<ServerOff size={15} aria-hidden="true" />} onSelect={() => {}}>
            No worker is running: nothing starts or stops until it is back
          </MenuItem>
        ) : null}
        {approvals.map((approval) => (
          <MenuItem
            key={approval.id}
            icon={<Hand size={15} aria-hidden="true" />}
            onSelect={() => setApprovalId(approval.id)}
          >
            <span className="block max-w-80 truncate font-medium">{approvalLine(approval)}</span>
            <span className="block text-xs text-muted">
              Denied by itself in <Until atMs={Date.parse(approval.expiresAt)} />
            </span>
          </MenuItem>
        ))}
        {holds.map((hold) => (
          <MenuItem
            key={hold.id}
            icon={<HoldIcon kind={hold.kind} />}
            onSelect={() => setHoldId(hold.id)}
          >
            <span className="font-medium">{holdText(hold).line}</span>
            <span className="block text-xs text-muted">
              {hold.state === "open" ? "Waits for an answer" : `Left alone by ${hold.decidedBy}`}
            </span>
          </MenuItem>
        ))}
        {problems.map((node) => (
          <MenuItem
            key={node.id}
            icon={<StatusGlyph status={statusView(node)} />}
            onSelect={() => actions.open(node.id)}
          >
            <span className="font-medium">{node.name}</span>
            <span className="block max-w-80 truncate text-xs text-muted">
              {problemSentence(node)}
            </span>
          </MenuItem>
        ))}
      </Menu>
      {asked === undefined ? null : <HoldDialog hold={asked} onClose={close} />}
      {requested === undefined ? null : <ApprovalDialog approval={requested} onClose={close} />}
    </>
  );
}

function HoldIcon({ kind }: { kind: SweepHoldKind }) {
  const Icon = kind === "removals" ? PackageX : Server;
  return <Icon size={15} aria-hidden="true" />;
}

function isProblem(node: WorkspaceNode): boolean {
  return node.status === "failed" || node.status === "degraded" || node.status === "offline";
}

function problemSentence(node: WorkspaceNode): string {
  if (node.failure !== null) return node.failure.sentence;
  if (node.status === "degraded")
    return node.sampleError === "" ? "Many of its calls fail" : node.sampleError;
  return statusView(node).word;
}
