import { APPLY_POLICIES, type ApplyPolicy, type Backend } from "@molecule/domain/sets";
import type { ConfigField } from "../drafts/config-draft.ts";

/** The sizes, by tier. They set limits of memory and processor and nothing else. */
export const SIZE_TEXT: Readonly<Record<number, string>> = {
  1: "1 · Small, 256 MB, half a processor",
  2: "2 · Normal, 512 MB, 1 processor",
  3: "3 · Large, 2 GB, 2 processors",
  4: "4 · Very large, 4 GB, 4 processors",
};

/** What the size means where the agent runs. */
export function sizeNote(backend: Backend): string {
  switch (backend) {
    case "docker":
      return "Limits of memory and processor. A size never grants more rights.";
    case "process":
      return "Agents that run as local processes have no limits; the size counts once it runs in Docker.";
    case "ec2":
      return "Which instance type a size stands for is a setting of the platform.";
    case "control-plane":
      return "The service that owns the machine decides what a size stands for.";
    case "external":
      return "External agents bring their own machine; the size has no effect.";
  }
}

/** What each apply policy does, for a person. */
export const APPLY_POLICY_TEXT: Readonly<
  Record<ApplyPolicy, { readonly title: string; readonly hint: string }>
> = {
  settle: {
    title: "Shortly after the last change",
    hint: "One restart once things are quiet; a running task gets up to 10 minutes to finish.",
  },
  idle: {
    title: "When it is idle",
    hint: "Waits for running tasks to end, however long they take.",
  },
  hold: {
    title: "Only when I say so",
    hint: "Changes are saved and wait until you restart or press Apply now.",
  },
};

const SLEEP_MINUTES = [15, 30, 60, 240, 1_440];

/** The times offered, with the present one among them whatever it is. */
export function sleepChoices(
  present: number | null,
): readonly { readonly minutes: number; readonly text: string }[] {
  const own = present === null || SLEEP_MINUTES.includes(present) ? [] : [present];
  return [...SLEEP_MINUTES, ...own]
    .toSorted((a, b) => a - b)
    .map((minutes) => ({ minutes, text: `After ${spanOf(minutes)}` }));
}

/** What falling asleep means, for a person. */
export function sleepNote(minutes: number | null): string {
  return minutes === null
    ? "It keeps running until somebody pauses it."
    : "It stops when nothing has happened for that long, and the next message wakes it.";
}

function spanOf(minutes: number): string {
  if (minutes % 1_440 === 0) return minutes === 1_440 ? "1 day" : `${minutes / 1_440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? "1 hour" : `${minutes / 60} hours`;
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}

/** The value of a setting as the form words it; empty for none. */
export function settingText(field: ConfigField, value: string | number | null): string {
  if (field === "sleepAfterMinutes") {
    return value === null ? "Never" : `After ${spanOf(Number(value))}`;
  }
  if (field === "tier") return SIZE_TEXT[Number(value)] ?? String(value);
  const policy = field === "applyPolicy" && APPLY_POLICIES.find((name) => name === value);
  return policy ? APPLY_POLICY_TEXT[policy].title : String(value ?? "");
}
