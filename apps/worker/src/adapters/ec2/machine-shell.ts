import type { Machine } from "./ec2-calls.ts";

/** One command for a machine. */
export interface ShellCommand {
  /** A constant: never built from anything that anybody gave. */
  readonly command: string;
  readonly stdin: Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a command ended. */
export interface ShellResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** The way into machines. Anything it throws means that a machine cannot be reached that way now. */
export interface MachineShell {
  run(machine: Machine, command: ShellCommand): Promise<ShellResult>;
  /** Nothing of what was kept for the machine is used again: it was stopped, or it is gone. */
  forget(machineId: string): void;
  close(): Promise<void>;
}
