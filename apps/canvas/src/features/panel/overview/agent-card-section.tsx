"use client";
import { shownAgentCard } from "@molecule/contracts/panel";
import { Badge } from "../../../ui/badge.tsx";
import { useNode } from "../../store/node-store.tsx";
import { OverviewSection } from "./overview-section.tsx";

/**
 * What the agent says about itself. Reads the live node store and nothing else, so it costs no request
 * and is right also while the agent is not there yet.
 */
export function AgentCardSection({ workspaceId }: { workspaceId: string }) {
  const raw = useNode(workspaceId)?.agentCard ?? null;
  if (raw === null) {
    return (
      <OverviewSection title="Agent card">
        <p className="text-sm text-muted">
          The agent introduces itself when it starts. What it can do appears here then.
        </p>
      </OverviewSection>
    );
  }
  const card = shownAgentCard.parse(raw);
  const capabilities = Object.entries(card.capabilities)
    .filter(([, value]) => value === true)
    .map(([name]) => capabilityText(name));
  return (
    <OverviewSection
      title="Agent card"
      aside={card.version === "" ? null : <span>version {card.version}</span>}
    >
      <div className="flex flex-col gap-3">
        <div>
          <p className="text-sm font-medium text-ink">{card.name === "" ? "Unnamed" : card.name}</p>
          {card.description === "" ? null : (
            <p className="text-sm text-muted [overflow-wrap:anywhere]">{card.description}</p>
          )}
        </div>
        {capabilities.length === 0 ? null : (
          <ul aria-label="Capabilities" className="flex flex-wrap gap-1.5">
            {capabilities.map((name) => (
              <li key={name}>
                <Badge>{name}</Badge>
              </li>
            ))}
          </ul>
        )}
        {card.skills.length === 0 ? (
          <p className="text-sm text-muted">It names no skills.</p>
        ) : (
          <ul aria-label="Skills" className="flex flex-col gap-2">
            {card.skills.map((skill, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: ids of a card need not be unique.
              <li key={`${skill.id}:${index}`} className="text-sm">
                <span className="font-medium text-ink">{skill.name || skill.id}</span>
                {skill.description === "" ? null : (
                  <span className="text-muted"> {skill.description}</span>
                )}
              </li>
            ))}
          </ul>
        )}
      </div>
    </OverviewSection>
  );
}

/** `pushNotifications` as "push notifications". */
function capabilityText(name: string): string {
  return name
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}
