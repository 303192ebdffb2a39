import { BackendError, type ComputeBackend } from "../../provisioning/compute-backend.ts";
import { KeyedQueue } from "../../provisioning/keyed-queue.ts";
import {
  createMachine,
  type Ec2Scope,
  endAgent,
  instanceOf,
  runtimeArchive,
} from "./create-machine.ts";
import { removeVolumes, volumesOf } from "./data-volume.ts";
import { createEc2Calls } from "./ec2-calls.ts";
import { ec2Failure } from "./ec2-error.ts";
import { keyFromTags, TAG_PLATFORM } from "./ec2-names.ts";
import type { Ec2Settings } from "./ec2-settings.ts";
import { createKeptMachines } from "./kept-machines.ts";
import { createLiveFiles, readConfigs } from "./live-files.ts";
import { callMachine, MachineRefusal } from "./machine-calls.ts";
import type { MachineClock } from "./machine-clock.ts";
import type { MachineShell } from "./machine-shell.ts";
import { findForSure, isKept, lookFor, machinesOf, nameOf, untilGone } from "./machines.ts";

/** What the platform tells its EC2 backend. */
export interface Ec2BackendOptions {
  readonly platformId: string;
  readonly settings: Ec2Settings;
  readonly shell: (calls: ReturnType<typeof createEc2Calls>) => MachineShell;
  readonly clock: MachineClock;
  /** The built `runtime.mjs`, which is brought to every machine. */
  readonly runtimeBundle: string;
}

/** The EC2 backend. `close` ends its connections; machines run on. */
export interface Ec2Backend extends ComputeBackend {
  close(): Promise<void>;
}

const AVAILABLE_FOR_MS = 60_000;
const AWAY_FOR_MS = 10_000;
/** A machine that is to go is not waited for long when its agent does not end in order. */
const LAST_WORDS_MS = 20_000;

/**
 * A backend of one EC2 instance for each workspace, which stays over restarts. Nothing is asked of AWS
 * before the first call. Calls of one workspace go one after another.
 */
export function createEc2Backend(options: Ec2BackendOptions): Ec2Backend {
  const calls = createEc2Calls(options.settings);
  const scope: Ec2Scope = {
    ...options,
    calls,
    shell: options.shell(calls),
    runtime: runtimeArchive(options.runtimeBundle),
    made: new Map(),
  };
  const queue = new KeyedQueue();
  const { clock, platformId } = scope;
  const kept = createKeptMachines(scope);
  return {
    kind: "ec2",
    capabilities: {
      list: true,
      console: true,
      restartInPlace: true,
      files: true,
      fence: true,
      readsAtRest: false,
    },
    availability: availabilityOf(scope),
    prepare: async () => undefined,
    readConfigs: (workspaceId) => asPort(() => readConfigs(scope, workspaceId)),
    create: (spec, signal) =>
      queue.run(spec.workspaceId, () => asPort(() => createMachine(scope, spec, signal), signal)),
    inspect: (key) =>
      asPort(async () => {
        const [machine] = await findForSure(scope, key);
        return machine === undefined ? null : instanceOf(key, machine);
      }),
    remove: (key, signal) =>
      queue.run(key.workspaceId, () =>
        asPort(async () => {
          for (const machine of await findForSure(scope, key, signal)) {
            if (isKept(machine)) {
              const bound = AbortSignal.any([signal, AbortSignal.timeout(LAST_WORDS_MS)]);
              await endAgent(scope, machine, bound).catch(() => undefined);
              signal.throwIfAborted();
              scope.shell.forget(machine.id);
              await calls.terminate(machine.id);
            }
            await untilGone(scope, machine.id, signal);
          }
          scope.made.delete(nameOf(key));
        }, signal),
      ),
    fence: (key, signal) =>
      queue.run(key.workspaceId, () =>
        asPort(async () => {
          for (const machine of (await lookFor(scope, key)).filter(isKept)) {
            scope.shell.forget(machine.id);
            for (const volume of await volumesOf(scope, key.workspaceId)) {
              if (volume.attachedTo === machine.id) await calls.detach(volume.id, true);
            }
            await calls.stop(machine.id, true);
          }
        }, signal),
      ),
    list: () =>
      asPort(async () => {
        const all = await calls.tagged({ [TAG_PLATFORM]: platformId });
        return all.flatMap((machine) => {
          const key = keyFromTags(platformId, machine.tags);
          return key === null || machine.state === "terminated" ? [] : [instanceOf(key, machine)];
        });
      }),
    identity: () => asPort(() => calls.account()),
    removeVolumes: (workspaceId) =>
      queue.run(workspaceId, () => asPort(() => removeVolumes(scope, workspaceId))),
    logs: (workspaceId, attemptNo, lines) =>
      asPort(() => readLogs(scope, { workspaceId, attemptNo }, lines)),
    console: (workspaceId, attemptNo) =>
      asPort(() => readConsole(scope, { workspaceId, attemptNo })),
    files: createLiveFiles(scope),
    machines: {
      handOver: (key, next, signal) =>
        queue.run(key.workspaceId, () => asPort(() => kept.handOver(key, next, signal), signal)),
      rest: (key, signal) =>
        queue.run(key.workspaceId, () => asPort(() => kept.rest(key, signal), signal)),
    },
    close: async () => {
      await scope.shell.close();
      calls.close();
    },
  };

  function availabilityOf(of: Ec2Scope): ComputeBackend["availability"] {
    let known: { isAvailable: boolean; note: string } | null = null;
    let until = Number.NEGATIVE_INFINITY;
    return async () => {
      if (known !== null && clock.now() < until) return known;
      try {
        await of.calls.account();
        known = { isAvailable: true, note: `EC2 machines in ${of.settings.region}.` };
      } catch (error) {
        const note =
          error instanceof BackendError ? error.failure.sentence : "AWS does not answer.";
        known = { isAvailable: false, note };
      }
      until = clock.now() + (known.isAvailable ? AVAILABLE_FOR_MS : AWAY_FOR_MS);
      return known;
    };
  }
}

/** Whose words. Without a number, those of the machine that is there. */
interface WhoseWords {
  readonly workspaceId: string;
  readonly attemptNo: number | null;
}

async function machineFor(scope: Ec2Scope, { workspaceId, attemptNo }: WhoseWords) {
  const found =
    attemptNo === null
      ? await machinesOf(scope, workspaceId)
      : await lookFor(scope, { workspaceId, attemptNo });
  return found[0] ?? null;
}

async function readConsole(scope: Ec2Scope, of: WhoseWords): Promise<string> {
  const machine = await machineFor(scope, of);
  return machine === null ? "" : await scope.calls.console(machine.id);
}

/** What the agent printed; where the machine cannot be asked, what the machine itself printed. */
async function readLogs(
  scope: Ec2Scope,
  of: WhoseWords,
  lines: number,
): Promise<readonly string[]> {
  const machine = await machineFor(scope, of);
  if (machine === null) return [];
  if (machine.state === "running") {
    const call = { op: "logs", input: { attempt: of.attemptNo, lines } };
    const said = await callMachine<{ lines: string[] }>(scope.shell, machine, call).catch(
      () => null,
    );
    if (said !== null && said.lines.length > 0) return said.lines;
  }
  const printed = await scope.calls.console(machine.id);
  return printed
    .split(/\r?\n/)
    .filter((line) => line !== "")
    .slice(-lines);
}

/** What fails has failed as the port says. */
async function asPort<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof BackendError) throw error;
    if (error instanceof MachineRefusal || error instanceof AggregateError) {
      throw new BackendError(
        {
          code: "stop_failed",
          sentence: "The machine of this agent does not do what it is told.",
          next: "Molecule tries again by itself.",
        },
        { isRetryable: true, cause: error },
      );
    }
    throw ec2Failure(error, { doing: "do that", code: "internal" });
  }
}
