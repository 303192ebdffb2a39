import type { SecretReach } from "@molecule/contracts/organisation-secrets";

type Group = SecretReach["restarts"];

/** What a new value (`set`) or the removal of a secret of the organisation does, a sentence a group. */
export function reachText(reach: SecretReach, change: "set" | "remove"): readonly string[] {
  const { restarts, waits, overridden, needs } = reach;
  const lines = [
    line(restarts, "starts anew, once", "start anew, once each"),
    line(waits, "rests and gets it with its next start", "rest and get it with their next start"),
  ];
  if (change === "remove") {
    lines[1] = line(
      waits,
      "rests and starts without it next time",
      "rest and start without it next time",
    );
    lines.push(
      line(
        needs,
        "cannot start without it; while it runs it goes on as it is",
        "cannot start without it; those that run go on as they are",
      ),
    );
  }
  lines.push(line(overridden, "keeps a value of its own", "keep a value of their own"));
  const said = lines.filter((text) => text !== null);
  return said.length > 0 ? said : ["No agent runs with it yet."];
}

function line({ count, names }: Group, one: string, many: string): string | null {
  if (count === 0) return null;
  return `${count === 1 ? "1 agent" : `${count} agents`} ${count === 1 ? one : many}: ${listed(names, count)}.`;
}

const SHOWN = 4;

function listed(names: readonly string[], count: number): string {
  const shown = names.slice(0, SHOWN).join(", ");
  return count > SHOWN ? `${shown} and ${count - SHOWN} more` : shown;
}

/** The same after it was done, by the number that the platform answered. */
export function doneText(affected: number): string {
  if (affected === 0) return "It changes no agent.";
  return affected === 1
    ? "It changes 1 agent, with one start."
    : `It changes ${affected} agents, with one start each.`;
}
