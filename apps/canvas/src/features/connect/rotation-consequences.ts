import type { WorkspaceNode } from "@molecule/contracts/workspaces";

/** What replacing the token of an agent does to it, for a person; the most pressing first. */
export function rotationConsequences(
  node: Pick<WorkspaceNode, "status" | "activeTasks"> | undefined,
): readonly string[] {
  const isThere = node?.status === "online" || node?.status === "degraded";
  const tasks = node?.activeTasks ?? 0;
  return [
    isThere
      ? "The token it runs with ends at once: its next call is refused, and it is not there any more."
      : "Every token it was given ends at once.",
    ...(isThere && tasks > 0
      ? [
          `It works on ${tasks === 1 ? "a task" : `${tasks} tasks`} now, and cannot say how that ended.`,
        ]
      : []),
    "The new token is shown once. Start the agent with it, and it connects again.",
    "Messages for it are kept meanwhile.",
  ];
}
