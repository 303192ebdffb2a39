"use client";
import type { OrgPreview } from "@molecule/contracts/orgs";
import { Badge } from "../../ui/badge.tsx";
import { bringsText, nodeText } from "./model/team-text.ts";

/** Deeper levels stand no further in, so that names keep their room. */
const MAX_INDENT = 6;

/** Every agent of a team by its place, with what becomes of it. */
export function PlanTree({ nodes }: { nodes: OrgPreview["nodes"] }) {
  return (
    <ul aria-label="Agents of the team" className="divide-y rounded-lg border">
      {nodes.map((node) => (
        <PlanRow key={node.position} node={node} />
      ))}
    </ul>
  );
}

function PlanRow({ node }: { node: OrgPreview["nodes"][number] }) {
  const state = nodeText(node);
  const facts = [node.runtime, node.model, node.template, bringsText(node)].filter(
    (fact) => fact !== null,
  );
  return (
    <li className="px-3 py-2" style={{ paddingLeft: 12 + Math.min(node.level, MAX_INDENT) * 16 }}>
      <div className="flex items-start gap-2">
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm text-ink" title={node.path}>
            {node.name}
          </span>
          <span className="block truncate text-xs text-muted">{facts.join(" · ")}</span>
        </span>
        <Badge tone={state.tone} className="mt-0.5 max-w-[55%]" title={state.text}>
          <span className="truncate">{state.text}</span>
        </Badge>
      </div>
      {node.note === null ? null : (
        <p className="mt-1 text-xs text-muted [overflow-wrap:anywhere]">{node.note}</p>
      )}
    </li>
  );
}
