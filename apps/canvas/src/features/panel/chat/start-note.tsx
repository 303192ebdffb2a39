"use client";
import { useNode } from "../../store/node-store.tsx";
import { isFirstStart } from "../header/model/reason.ts";
import { StartStages } from "../header/start-stages.tsx";

/** While the agent starts for the first time: its stages, where its first answer will appear. */
export function StartNote({
  workspaceId,
  hasMessages,
}: {
  workspaceId: string;
  hasMessages: boolean;
}) {
  const node = useNode(workspaceId);
  if (node?.attempt == null || !isFirstStart(node)) return null;
  return (
    <section aria-label={`Start of ${node.name}`} className={hasMessages ? "pt-4" : "pt-1 pb-2"}>
      <StartStages node={node} attempt={node.attempt} />
    </section>
  );
}
