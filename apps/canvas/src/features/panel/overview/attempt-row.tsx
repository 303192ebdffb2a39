"use client";
import type { AttemptView, WorkspaceNode } from "@molecule/contracts/workspaces";
import clsx from "clsx";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { Ago, Elapsed } from "../../clock/moving-time.tsx";
import { useOrganisation } from "../../store/node-store.tsx";
import { attemptReason } from "../header/model/reason.ts";
import { durationText } from "../text/time-text.ts";
import { AttemptDetail } from "./attempt-detail.tsx";
import { outcomeText } from "./model/attempts.ts";

/** One attempt in a line: why, how it went, how long it took; opened, everything that is known of it. */
export function AttemptRow({ node, attempt }: { node: WorkspaceNode; attempt: AttemptView }) {
  const reader = useOrganisation()?.member.name ?? null;
  const [isOpen, setIsOpen] = useState(false);
  const isFailed = attempt.failure !== null;
  const end = attempt.readyAt ?? attempt.endedAt;
  const createdMs = Date.parse(attempt.createdAt);
  return (
    <li className="border-b border-line last:border-b-0">
      <details className="group" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary className="flex list-none items-start gap-2 rounded-md py-2 hover:bg-hover/60 pointer-coarse:min-h-11">
          <ChevronRight
            size={14}
            className="mt-[3px] shrink-0 text-muted transition-transform duration-[120ms] group-open:rotate-90"
            aria-hidden="true"
          />
          <span className="min-w-0 flex-1">
            <span className="block text-sm text-ink first-letter:uppercase">
              {attemptReason(attempt, reader)}
            </span>
            <span className={clsx("block text-xs", isFailed ? "text-danger" : "text-muted")}>
              #{attempt.no} · {outcomeText(attempt)} ·{" "}
              {end === null ? (
                <Elapsed sinceMs={createdMs} />
              ) : (
                durationText(Date.parse(end) - createdMs)
              )}
            </span>
          </span>
          <span className="shrink-0 text-xs leading-5 text-muted">
            <Ago atMs={createdMs} />
          </span>
        </summary>
        {isOpen ? <AttemptDetail node={node} attempt={attempt} /> : null}
      </details>
    </li>
  );
}
