import { BackendError } from "../../provisioning/compute-backend.ts";
import type { Machine } from "./ec2-calls.ts";
import { ANSWER_MARK, MACHINE_COMMAND, programFor } from "./machine-program.ts";
import type { MachineShell } from "./machine-shell.ts";

/** What the program on a machine refused, by its own closed words. */
export class MachineRefusal extends Error {
  /** `not_found`, `bad_request`, `payload_too_large`, `no_device`, `no_runtime`, `no_agent`, `still_running` or `failed`. */
  readonly code: string;

  constructor(code: string, cause: string) {
    super(code, { cause });
    this.name = "MachineRefusal";
    this.code = code;
  }
}

/** What a call may take. */
export interface CallBounds {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const CALL_TIMEOUT_MS = 60_000;

/**
 * Carries out one operation on a machine.
 * @throws MachineRefusal of the machine; BackendError `engine_unavailable` where it cannot be reached.
 */
export async function callMachine<T>(
  shell: MachineShell,
  machine: Machine,
  call: { readonly op: string; readonly input?: unknown },
  bounds: CallBounds = {},
): Promise<T> {
  let printed: string;
  try {
    const result = await shell.run(machine, {
      command: MACHINE_COMMAND,
      stdin: programFor(call.op, call.input ?? {}),
      timeoutMs: bounds.timeoutMs ?? CALL_TIMEOUT_MS,
      signal: bounds.signal,
    });
    printed = Buffer.from(result.stdout).toString("utf8");
    if (!printed.includes(ANSWER_MARK)) throw new Error(result.stderr.slice(-500));
  } catch (error) {
    bounds.signal?.throwIfAborted();
    throw unreachable(error);
  }
  const text = printed.slice(printed.lastIndexOf(ANSWER_MARK) + ANSWER_MARK.length);
  const answer = JSON.parse(text) as
    | { ok: true; value: T }
    | { ok: false; code: string; message: string };
  if (answer.ok) return answer.value;
  throw new MachineRefusal(answer.code, answer.message);
}

function unreachable(cause: unknown): BackendError {
  return new BackendError(
    {
      code: "engine_unavailable",
      sentence: "The machine of this agent does not answer over SSH.",
      next: "Molecule tries again by itself; its security group has to let the platform in.",
    },
    { isRetryable: true, cause },
  );
}
