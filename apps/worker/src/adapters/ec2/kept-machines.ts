import type { InstanceKey, KeptMachines } from "../../provisioning/compute-backend.ts";
import { type Ec2Scope, endAgent, untilPrepared } from "./create-machine.ts";
import type { Machine } from "./ec2-calls.ts";
import { TAG_ATTEMPT } from "./ec2-names.ts";
import { isKept, lookFor, nameOf, untilState } from "./machines.ts";

/** Machines outlive attempts: a restart ends the agent and keeps its machine. */
export function createKeptMachines(scope: Ec2Scope): KeptMachines {
  return {
    handOver: async (key, next, signal) => {
      const machine = await keptOf(scope, key, next);
      if (machine === null) return false;
      const ready = await wake(scope, machine, signal);
      await endOrCycle(scope, ready, signal);
      await scope.calls.tag(machine.id, { [TAG_ATTEMPT]: String(next) });
      scope.made.delete(nameOf(key));
      scope.made.set(nameOf({ ...key, attemptNo: next }), machine.id);
      return true;
    },
    rest: async (key, signal) => {
      for (const machine of (await lookFor(scope, key)).filter(isKept)) {
        if (machine.state === "stopped") continue;
        const seen = await settled(scope, machine, signal);
        await endAgent(scope, seen, signal).catch(() => undefined);
        scope.shell.forget(machine.id);
        await scope.calls.stop(machine.id);
        await untilState(scope, machine.id, "stopped", signal);
      }
    },
  };
}

/** Handed over already by a worker that was killed: it is found under the next number. */
async function keptOf(scope: Ec2Scope, key: InstanceKey, next: number): Promise<Machine | null> {
  const [found] = (await lookFor(scope, key)).filter(isKept);
  if (found !== undefined) return found;
  const [handed] = (await lookFor(scope, { ...key, attemptNo: next })).filter(isKept);
  return handed ?? null;
}

async function wake(scope: Ec2Scope, machine: Machine, signal: AbortSignal): Promise<Machine> {
  if (machine.state === "stopping") await untilState(scope, machine.id, "stopped", signal);
  if (machine.state === "stopping" || machine.state === "stopped") {
    await scope.calls.start(machine.id);
  }
  return await untilState(scope, machine.id, "running", signal);
}

/** An agent on a machine that nobody can sign in on ends with a stop of the machine, which is kept. */
async function endOrCycle(scope: Ec2Scope, machine: Machine, signal: AbortSignal): Promise<void> {
  try {
    await endAgent(scope, machine, signal);
  } catch (error) {
    signal.throwIfAborted();
    scope.shell.forget(machine.id);
    await scope.calls.stop(machine.id, true);
    await untilState(scope, machine.id, "stopped", signal);
    await scope.calls.start(machine.id);
    const again = await untilState(scope, machine.id, "running", signal);
    await untilPrepared(scope, again, signal).catch((cause: unknown) => {
      throw new AggregateError([error, cause], "the machine does not answer after a stop either");
    });
  }
}

async function settled(scope: Ec2Scope, machine: Machine, signal: AbortSignal): Promise<Machine> {
  return machine.state === "pending"
    ? await untilState(scope, machine.id, "running", signal)
    : machine;
}
