import type { Backend, MachineReach } from "./sets.ts";

/** Backends whose agents have a machine elsewhere: only there is a choice how it is spoken to. */
export const MACHINE_BACKENDS = ["ec2", "control-plane"] as const satisfies readonly Backend[];

/** Whether an agent of this backend has a machine of its own elsewhere. */
export function hasMachine(backend: Backend): boolean {
  return (MACHINE_BACKENDS as readonly Backend[]).includes(backend);
}

/** What a setting allows; `auto` decides by what answers. */
export const REACH_SETTINGS = ["auto", "private", "tunnel"] as const;
export type ReachSetting = (typeof REACH_SETTINGS)[number];

/** What is known when an agent on a machine elsewhere registers for the first time. */
export interface ReachFacts {
  readonly setting: ReachSetting;
  /** Its backend has an SSH connection to the machine. */
  readonly hasTunnel: boolean;
  /** host:port that the backend gave; null when it gave none. What the agent says is no fact here. */
  readonly address: string | null;
  /** The agent of this attempt answered there. */
  readonly answers: boolean;
}

/**
 * How the platform speaks to a machine; null while there is no way, and then its messages wait.
 * SPEC: MR1 to MR4.
 */
export function chooseReach(facts: ReachFacts): MachineReach | null {
  const isPrivate = facts.address !== null ? "private" : null;
  const isTunnel = facts.hasTunnel ? "tunnel" : null;
  switch (facts.setting) {
    case "private":
      return isPrivate;
    case "tunnel":
      return isTunnel;
    case "auto":
      if (facts.answers && isPrivate !== null) return isPrivate;
      // Without a tunnel the address is all there is, and may answer later.
      return isTunnel ?? isPrivate;
  }
}
