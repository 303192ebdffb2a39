import type { GenerationView, RollBackPlan } from "@molecule/contracts/generations";

/** Where a generation is now; null for one that is past. */
export function generationState({
  isRunning,
  isSaved,
}: Pick<GenerationView, "isRunning" | "isSaved">): {
  readonly tone: "info" | "warn" | "neutral";
  readonly text: string;
} | null {
  if (isRunning) return { tone: "info", text: isSaved ? "running" : "still running" };
  return isSaved ? { tone: "warn", text: "not running yet" } : null;
}

/** What becomes of a secret in a roll back, for a person. */
export function secretReturnText(outcome: RollBackPlan["secrets"][number]["outcome"]): string {
  switch (outcome) {
    case "restored":
      return "Gets the value it had then.";
    case "removed":
      return "Is removed: it was not there then.";
    case "lost":
      return "Keeps its present value: the one it had then is no longer kept.";
    case "organisation":
      return "Stays as it is: it belongs to the organisation.";
  }
}

/** "2 settings, 1 file and 1 secret", or null when nothing of it differs. */
export function countChanges(plan: {
  readonly settings: readonly unknown[];
  readonly files: readonly unknown[];
  readonly secrets: readonly unknown[];
}): string | null {
  const parts = [
    counted(plan.settings.length, "setting"),
    counted(plan.files.length, "file"),
    counted(plan.secrets.length, "secret"),
  ].flatMap((part) => part ?? []);
  if (parts.length <= 1) return parts[0] ?? null;
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

function counted(count: number, noun: string): string | null {
  if (count === 0) return null;
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
