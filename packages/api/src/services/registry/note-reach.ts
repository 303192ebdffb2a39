import { readMachine, recordReach } from "@molecule/db/lifecycle/machine-facts";
import type { Target } from "@molecule/db/registry/targets";
import { chooseReach, hasMachine } from "@molecule/domain/machine-reach";
import { z } from "zod";
import type { Deps } from "../../deps.ts";

const PROBE_MS = 2_000;
const health = z.object({ workspace_id: z.string(), attempt: z.number() });

/**
 * Decides, once per machine, how an agent that has just registered is spoken to. It is asked at the address
 * that its backend gave, never at one it names. A failure is logged and leaves it undecided: the next
 * registration asks again. SPEC: MR1 to MR4.
 */
export async function noteReach(
  deps: Pick<Deps, "db" | "log" | "platform">,
  { id: workspaceId, backend }: Pick<Target, "id" | "backend">,
  attemptNo: number,
): Promise<void> {
  if (!hasMachine(backend)) return;
  const of = { workspaceId, attemptNo };
  try {
    const machine = await readMachine(deps.db, of);
    if (machine === null || machine.reach !== null) return;
    const { address } = machine;
    const reach = chooseReach({
      setting: deps.platform.reach,
      // The control plane has no connection to its machines. Source: wire contract §19.3.
      hasTunnel: backend === "ec2",
      address,
      answers: address !== null && (await answersAt(address, of)),
    });
    if (reach !== null) await deps.db.transaction((tx) => recordReach(tx, of, reach));
  } catch (err) {
    deps.log.warn({ err, ...of }, "how a machine is reached could not be noted");
  }
}

/** Whether exactly this attempt's agent answers: an address may have been another machine's before. */
async function answersAt(
  address: string,
  of: { readonly workspaceId: string; readonly attemptNo: number },
): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/health`, {
      signal: AbortSignal.timeout(PROBE_MS),
      redirect: "error",
    });
    const told = health.safeParse(await response.json()).data;
    return told?.workspace_id === of.workspaceId && told.attempt === of.attemptNo;
  } catch {
    // Refused, too slow or somebody else: each is the answer to the question.
    return false;
  }
}
