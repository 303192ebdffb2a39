import { instanceIdOf } from "@molecule/testing/cloud/addresses";
import { pino } from "pino";
import type { Places } from "./pooled-connection.ts";
import type { TunnelTarget } from "./target.ts";

export const LOG = pino({ level: "silent" });

/** The n-th machine, counted from 0; all of them are the one sshd. */
export function machine(index = 0, osUser = "ubuntu"): TunnelTarget {
  return { account: "1", region: "us-east-2", instanceId: instanceIdOf(index), osUser };
}

/** Wish for the n-th machine's connection. */
export function wish(index = 0, isIdempotent = true) {
  return { target: machine(index), attemptNo: 1, isIdempotent };
}

/** Places of one process alone. */
export function localPlaces(cap: number): Places {
  const used = new Map<string, number>();
  return {
    onWanted: () => undefined,
    take: (endpoint) => {
      const before = used.get(endpoint) ?? 0;
      if (before >= cap) return Promise.resolve({ place: null, used: before });
      used.set(endpoint, before + 1);
      const free = () => {
        used.set(endpoint, (used.get(endpoint) ?? 1) - 1);
        return Promise.resolve();
      };
      return Promise.resolve({ place: { free }, used: before + 1 });
    },
  };
}

/** The error that `work` ends with. @throws Error when it ends well. */
export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it was expected to fail");
}
