import type { ApplyPolicy, Backend } from "@molecule/domain/sets";

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
