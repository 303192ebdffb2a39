import type { Route } from "./pooled-connection.ts";
import type { SshConnection } from "./ssh-connection.ts";
import type { TunnelTarget } from "./target.ts";
import type { TunnelPool } from "./tunnel-pool.ts";

/** One command for a machine. */
interface MachineCommand {
  /** A constant: never built from anything that anybody gave. */
  readonly command: string;
  readonly stdin: Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Commands of the platform itself on machines, over the connections that everybody shares. */
export interface PooledMachineShell {
  run(
    machine: { readonly id: string },
    command: MachineCommand,
  ): Promise<{
    readonly code: number | null;
    readonly stdout: Uint8Array;
    readonly stderr: string;
  }>;
  /** Its connection is given to nobody any more. */
  forget(machineId: string): void;
  /** Nothing of its own: the pool ends with the worker. */
  close(): Promise<void>;
}

/** Each command is sent once: whoever asked for it knows whether it may be repeated. */
export function createMachineShell<R extends Route>(
  pool: TunnelPool<R, SshConnection>,
  targetOf: (machineId: string) => TunnelTarget,
): PooledMachineShell {
  return {
    run: ({ id }, { command, stdin, timeoutMs, signal }) =>
      pool.run(
        {
          target: targetOf(id),
          attemptNo: null,
          isIdempotent: false,
          ...(signal === undefined ? {} : { signal }),
        },
        (connection) => connection.run(command, { input: stdin, timeoutMs, signal }),
      ),
    forget: (id) => pool.poison(targetOf(id)),
    close: () => Promise.resolve(),
  };
}
