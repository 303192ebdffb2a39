import type { InstanceKey } from "./compute-backend.ts";

/** A machine as it was made. */
export interface RememberedMachine extends InstanceKey {
  readonly providerId: string;
  /** host:port of its runtime; null when its maker did not say. */
  readonly address: string | null;
}

/**
 * Which machine an attempt has, for backends that cannot be asked for it. Written as soon as a machine is
 * known, before the reconciler records it: a worker that is killed in between must not lose it.
 */
export interface MachineMemory {
  /** Null: none is known, or it is confirmed gone. A null attempt asks for the latest one's. */
  find(workspaceId: string, attemptNo: number | null): Promise<RememberedMachine | null>;
  remember(machine: RememberedMachine): Promise<void>;
  /** It is confirmed gone. */
  forget(key: InstanceKey): Promise<void>;
}
