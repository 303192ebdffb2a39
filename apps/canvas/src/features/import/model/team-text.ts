import type { OrgPreview } from "@molecule/contracts/orgs";

type PlanNode = OrgPreview["nodes"][number];
type Counts = OrgPreview["counts"];

/** What an import would do, in a sentence or two. */
export function planText(counts: Counts, atOnce: number): string {
  const { create, exists, leftOut, startNow, startLater } = counts;
  if (create === 0) {
    return exists === 0 ? "None of its agents can be made." : "Everything in it is there already.";
  }
  const made = [
    `${agents(create)} will be made`,
    exists === 0 ? null : `${exists} ${exists === 1 ? "is" : "are"} there already`,
    leftOut === 0 ? null : `${leftOut} left out`,
  ].filter((part) => part !== null);
  const starts = [
    startNow === 0
      ? null
      : startNow > atOnce
        ? `${startNow} start, ${atOnce} at a time`
        : `${startNow} ${startNow === 1 ? "starts" : "start"} at once`,
    startLater === 0 ? null : startNow === 0 ? `${startLater} start later` : `${startLater} later`,
  ].filter((part) => part !== null);
  return starts.length === 0 ? `${made.join(", ")}.` : `${made.join(", ")}. ${starts.join(", ")}.`;
}

/** "1 agent", "12 agents". */
export function agents(count: number): string {
  return count === 1 ? "1 agent" : `${count} agents`;
}

/** What becomes of one agent of the plan, in a few words, and whether that needs a person. */
export function nodeText(node: PlanNode): {
  readonly text: string;
  readonly tone: "info" | "warn" | "danger" | "neutral";
} {
  if (node.action === "left_out") return { text: "left out", tone: "danger" };
  if (node.action === "exists") return { text: "there already", tone: "neutral" };
  switch (node.starts) {
    case "now":
      return { text: "starts", tone: "info" };
    case "lacks_key":
      return { text: `needs ${node.missing.map(needText).join(", ")}`, tone: "warn" };
    case "staged":
      return { text: "made, paused", tone: "neutral" };
    case "elsewhere":
      return { text: "runs elsewhere", tone: "neutral" };
    case "no":
      return { text: "not started", tone: "neutral" };
  }
}

/** `A`, or `A or B` where one of several is enough. */
export function needText(need: readonly string[]): string {
  return need.join(" or ");
}

/** What one agent brings along, or null when nothing. */
export function bringsText(node: PlanNode): string | null {
  const parts = [
    counted(node.files, "file", "files"),
    counted(node.schedules, "schedule", "schedules"),
    counted(node.memories, "memory", "memories"),
    counted(node.secrets.length, "secret", "secrets"),
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : `with ${parts.join(", ")}`;
}

function counted(count: number, one: string, many: string): string | null {
  if (count === 0) return null;
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

/** Each need once: what blocks the import, what keeps some of its agents from starting, what is wished. */
export function needsOf(preview: OrgPreview): {
  readonly blocking: readonly (readonly string[])[];
  readonly ofSome: readonly (readonly string[])[];
  readonly wished: readonly (readonly string[])[];
} {
  const seen = new Set<string>();
  const fresh = (need: readonly string[]) => {
    const name = needText(need);
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  };
  const blocking = preview.missing.filter(fresh);
  const ofNodes = preview.nodes.filter(({ action }) => action === "create");
  const ofSome = ofNodes.flatMap(({ missing }) => missing).filter(fresh);
  return { blocking, ofSome, wished: preview.missingRecommended.filter(fresh) };
}

/** The plan as it will be once what is typed is saved. */
export function withTyped(
  preview: OrgPreview,
  typed: Readonly<Record<string, string>>,
): OrgPreview {
  const nodes = preview.nodes.map((node): PlanNode => {
    const missing = stillOpen(node.missing, typed).map((need) => [...need]);
    const starts = node.starts === "lacks_key" && missing.length === 0 ? "now" : node.starts;
    return { ...node, missing, starts };
  });
  const more = nodes.filter(
    ({ starts }, index) => starts === "now" && preview.nodes[index]?.starts === "lacks_key",
  ).length;
  const { startNow, startLater } = preview.counts;
  const counts = { ...preview.counts, startNow: startNow + more, startLater: startLater - more };
  return { ...preview, nodes, counts };
}

/** The needs that nothing typed meets. */
export function stillOpen(
  needs: readonly (readonly string[])[],
  typed: Readonly<Record<string, string>>,
): readonly (readonly string[])[] {
  return needs.filter((need) => need.every((key) => (typed[key] ?? "").trim() === ""));
}
