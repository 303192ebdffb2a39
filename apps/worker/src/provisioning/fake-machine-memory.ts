import type { InstanceKey } from "./compute-backend.ts";
import type { MachineMemory, RememberedMachine } from "./machine-memory.ts";

/** A memory of this process, for tests of backends without a database. */
export function createFakeMachineMemory(): MachineMemory {
  const machines = new Map<string, RememberedMachine>();
  const nameOf = ({ workspaceId, attemptNo }: InstanceKey) => `${workspaceId}/${attemptNo}`;
  return {
    find: async (workspaceId, attemptNo) =>
      [...machines.values()]
        .filter((one) => one.workspaceId === workspaceId)
        .filter((one) => attemptNo === null || one.attemptNo === attemptNo)
        .toSorted((a, b) => b.attemptNo - a.attemptNo)[0] ?? null,
    remember: async (machine) => void machines.set(nameOf(machine), machine),
    forget: async (key) => void machines.delete(nameOf(key)),
  };
}
