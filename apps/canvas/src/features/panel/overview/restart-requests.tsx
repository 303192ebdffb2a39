"use client";
import type { RestartRequestView } from "@molecule/contracts/ledger";
import type { RestartOutcome } from "@molecule/domain/sets";
import { CircleSlash, CornerDownRight, Eye, type LucideIcon } from "lucide-react";
import { Ago } from "../../clock/moving-time.tsx";
import { useOrganisation } from "../../store/node-store.tsx";
import { requestText } from "./model/restart-requests.ts";

const ICONS: Readonly<Record<RestartOutcome, LucideIcon>> = {
  began: CornerDownRight,
  merged: CornerDownRight,
  observed: Eye,
  skipped: CircleSlash,
};

/** Requests for a restart that began none of their own: what was asked, how often, and why not. */
export function RestartRequests({ rows }: { rows: readonly RestartRequestView[] }) {
  const reader = useOrganisation()?.member.name ?? null;
  return (
    <ul className="flex flex-col gap-2">
      {rows.map((row) => {
        const Icon = ICONS[row.outcome];
        const { lead, why } = requestText(row, reader);
        return (
          <li key={row.id} className="flex items-start gap-2 text-xs text-muted">
            <Icon size={14} className="mt-px shrink-0" aria-hidden="true" />
            <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">
              <span className="block text-ink">{lead}</span>
              {why}
            </p>
            <span className="shrink-0">
              <Ago atMs={Date.parse(row.lastAt)} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}
