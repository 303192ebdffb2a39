import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import type { Runtime } from "@molecule/domain/sets";

/** What a person calls each runtime. */
export const RUNTIME_LABELS: Readonly<Record<Runtime, string>> = {
  demo: "Demo agent",
  "claude-code": "Claude Code",
  external: "External",
};

/** The model that runs, and the one that comes; never one shown as the other. */
export interface ModelLabel {
  /** The running model; the desired one only before the first start. Null when neither is set. */
  readonly current: string | null;
  /** The model of the next start, when it is another one. */
  readonly next: string | null;
}

/** The model line of a card. */
export function modelLabel(
  node: Pick<WorkspaceNode, "effectiveModel" | "desiredModel">,
): ModelLabel {
  const { effectiveModel, desiredModel } = node;
  if (effectiveModel === null) return { current: desiredModel, next: null };
  const isSame = desiredModel === null || desiredModel === effectiveModel;
  return { current: effectiveModel, next: isSame ? null : desiredModel };
}
