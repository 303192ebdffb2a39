import type { WorkspaceNode } from "@molecule/contracts/workspaces";
import { stagedFiles } from "./file-draft.ts";
import type { StagedDraft } from "./staged-save.ts";

/** An agent of a team that has something to apply. */
export interface TeamMember {
  readonly id: string;
  readonly name: string;
  /** Edits that are not saved. */
  readonly edits: number;
  /** Saved and held: not running before somebody applies it. */
  readonly isHeld: boolean;
  readonly activeTasks: number;
}

type Nodes = Readonly<Record<string, WorkspaceNode>>;

/** Every agent below one, at any depth, in no particular order; [] for one without any. */
export function idsBelow(nodes: Nodes, id: string): string[] {
  const children = Object.values(nodes).filter((node) => node.parentId === id);
  return children.flatMap((child) => [child.id, ...idsBelow(nodes, child.id)]);
}

/** What one agent has to apply; null when that is nothing. */
export function teamMember(node: WorkspaceNode, draft: StagedDraft): TeamMember | null {
  const edits =
    Object.keys(draft.config.mine).length +
    stagedFiles(draft.files).length +
    Object.keys(draft.plugins).length +
    Object.keys(draft.secrets).length;
  const isHeld = node.pending?.policy === "hold" && node.backend !== "external";
  if (edits === 0 && !isHeld) return null;
  return { id: node.id, name: node.name, edits, isHeld, activeTasks: node.activeTasks };
}

/** "2 edits", "held changes" or both, for a person. */
export function memberText({ edits, isHeld }: TeamMember): string {
  const text = edits === 1 ? "1 edit" : `${edits} edits`;
  if (edits === 0) return "saved, not running yet";
  return isHeld ? `${text}, and saved changes that do not run yet` : text;
}

/** "3 agents · one restart each · 2 running tasks will wait". */
export function teamSentence(members: readonly TeamMember[]): string {
  const agents = members.length === 1 ? "1 agent" : `${members.length} agents`;
  const tasks = members.reduce((sum, member) => sum + member.activeTasks, 0);
  const base = `${agents} · one restart each`;
  if (tasks === 0) return base;
  return `${base} · ${tasks === 1 ? "1 running task" : `${tasks} running tasks`} will wait`;
}
