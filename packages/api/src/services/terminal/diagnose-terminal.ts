import type { TerminalDiagnoseStep } from "@molecule/contracts/terminal";
import type { Deps } from "../../deps.ts";
import { toDomainError } from "../../errors.ts";

/** Answer of `…/terminal/diagnose`. Source: wire contract §15. */
export interface TerminalDiagnosis {
  readonly workspace_id: string;
  readonly instance_id?: string;
  readonly remote: boolean;
  readonly ok: boolean;
  readonly first_failure?: string;
  readonly steps: readonly TerminalDiagnoseStep[];
}

/** The stages of getting a terminal up to the first that fails; what fails is an answer, never a throw. */
export async function diagnoseTerminal(
  deps: Deps,
  workspaceId: string,
): Promise<TerminalDiagnosis> {
  const startedAt = performance.now();
  const { remote, instanceId, steps } = await deps.worker
    .call("terminal.diagnose", { workspaceId })
    .catch((error: unknown) => {
      const { message, code } = toDomainError(error);
      const duration_ms = Math.round(performance.now() - startedAt);
      const step = {
        name: "docker-available",
        ok: false,
        duration_ms,
        error: message,
        detail: code,
      };
      return { remote: false, instanceId: null, steps: [step] };
    });
  const failed = steps.find((step) => !step.ok);
  return {
    workspace_id: workspaceId,
    ...(instanceId === null ? {} : { instance_id: instanceId }),
    remote,
    ok: failed === undefined,
    ...(failed === undefined ? {} : { first_failure: failed.name }),
    steps,
  };
}
