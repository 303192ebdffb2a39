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
  /**
   * The running model; the desired one only before the first start and for an agent that runs elsewhere.
   * Null: it runs with no model of ours.
   */
  readonly current: string | null;
  /** The model of the next start, when it is another one. */
  readonly next: string | null;
}

/** What an agent that was given no model works with. */
export const DEFAULT_MODEL = "the runtime's default";

/** The model line of a card. */
export function modelLabel(
  node: Pick<WorkspaceNode, "effectiveModel" | "desiredModel" | "appliedGen" | "backend">,
): ModelLabel {
  const { effectiveModel, desiredModel, appliedGen, backend } = node;
  if (appliedGen === 0 || backend === "external") return { current: desiredModel, next: null };
  if (desiredModel === effectiveModel) return { current: effectiveModel, next: null };
  return { current: effectiveModel, next: desiredModel ?? DEFAULT_MODEL };
}
