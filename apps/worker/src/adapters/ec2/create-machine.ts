import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import {
  BackendError,
  type Instance,
  type InstanceKey,
  type InstanceSpec,
} from "../../provisioning/compute-backend.ts";
import { BOOT_SCRIPT } from "./boot-script.ts";
import { attachVolume, volumesOf } from "./data-volume.ts";
import { type Machine, tagsOf } from "./ec2-calls.ts";
import {
  clientToken,
  DATA_DEVICE,
  RUNTIME_PORT,
  shapeDigest,
  TAG_ATTEMPT,
  TAG_SHAPE,
  workspaceTags,
} from "./ec2-names.ts";
import type { Ec2Settings, MachineShape } from "./ec2-settings.ts";
import { callMachine, MachineRefusal } from "./machine-calls.ts";
import { MACHINE_ROOTS } from "./machine-program.ts";
import type { MachineShell } from "./machine-shell.ts";
import { isKept, lookFor, type MachineSource, machinesOf, nameOf, untilState } from "./machines.ts";

/** What the backend's parts share. */
export interface Ec2Scope extends MachineSource {
  readonly settings: Ec2Settings;
  readonly shell: MachineShell;
  readonly runtime: () => Promise<RuntimeArchive>;
}

/** The reference runtime as it is brought to machines. */
export interface RuntimeArchive {
  /** Of the program, in hexadecimal. */
  readonly sha256: string;
  /** The program, compressed by gzip, in base64. */
  readonly archive: string;
}

/** Reads the program anew whenever its file has changed. */
export function runtimeArchive(bundle: string): () => Promise<RuntimeArchive> {
  let read: { readonly changedAt: number; readonly archive: RuntimeArchive } | null = null;
  return async () => {
    const { mtimeMs } = await stat(bundle);
    if (read?.changedAt === mtimeMs) return read.archive;
    const program = await readFile(bundle);
    const archive = {
      sha256: createHash("sha256").update(program).digest("hex"),
      archive: (await promisify(gzip)(program)).toString("base64"),
    };
    read = { changedAt: mtimeMs, archive };
    return archive;
  };
}

const HELLO_POLL_MS = 2_000;
/** How long a machine may take from `running` until somebody can sign in and it is prepared. */
const PREPARED_DEADLINE_MS = 10 * 60_000;
const STOP_GRACE_MS = 10_000;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

interface Hello {
  readonly isPrepared: boolean;
  readonly attempt: number | null;
  readonly runtimeSha: string | null;
  readonly volume: string | null;
}

/** The attempt's agent runs on the workspace's machine; see `ComputeBackend.create`. */
export async function createMachine(
  scope: Ec2Scope,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<Instance> {
  signal.throwIfAborted();
  const shape = scope.settings.shapeOf(spec.runtime, spec.tier);
  const digest = shapeDigest(shape, BOOT_SCRIPT);
  const mine = (await lookFor(scope, spec)).filter(isKept);
  const fitting = mine.find((one) => one.tags.get(TAG_SHAPE) === digest);
  for (const other of mine) if (other !== fitting) await giveUp(scope, other, signal);
  const id = fitting?.id ?? (await runMachine(scope, spec, { shape, digest }));
  scope.made.set(nameOf(spec), id);
  if (fitting?.state === "stopped") await scope.calls.start(id);
  const machine = await untilState(scope, id, "running", signal);
  const hello = await untilPrepared(scope, machine, signal);
  await mountVolume(scope, machine, spec, signal);
  await startAgent(scope, { machine, hello }, spec, signal);
  return instanceOf(spec, machine);
}

/** How a machine looks from outside; null for one that has ended. */
export function instanceOf(key: InstanceKey, machine: Machine): Instance {
  const isUp = machine.state === "running" || machine.state === "pending";
  return {
    workspaceId: key.workspaceId,
    attemptNo: key.attemptNo,
    providerId: machine.id,
    state: isUp ? "running" : "exited",
    address:
      machine.state === "running" && machine.privateIp !== null
        ? `${machine.privateIp}:${RUNTIME_PORT}`
        : null,
    exit: isUp ? null : (machine.endReason ?? machine.state),
  };
}

async function runMachine(
  scope: Ec2Scope,
  spec: InstanceSpec,
  { shape, digest }: { readonly shape: MachineShape; readonly digest: string },
): Promise<string> {
  const tags = {
    ...workspaceTags(scope.platformId, spec.workspaceId),
    [TAG_ATTEMPT]: String(spec.attemptNo),
    [TAG_SHAPE]: digest,
    Name: `molecule-${spec.workspaceId.slice(0, 12)}`,
  };
  const input: RunInstancesCommandInput = {
    MinCount: 1,
    MaxCount: 1,
    ClientToken: clientToken(spec.createToken, digest),
    InstanceType: shape.type as RunInstancesCommandInput["InstanceType"],
    UserData: Buffer.from(BOOT_SCRIPT).toString("base64"),
    // IMDSv2 alone, and no further than the machine itself. Source: security C2 row 16.
    MetadataOptions: {
      HttpTokens: "required",
      HttpPutResponseHopLimit: 1,
      HttpEndpoint: "enabled",
    },
    InstanceInitiatedShutdownBehavior: "stop",
    TagSpecifications: [
      { ResourceType: "instance", Tags: tagsOf(tags) },
      // The disk it boots from, so that nothing of ours is ever without a name.
      { ResourceType: "volume", Tags: tagsOf({ "molecule.boot-disk-of": scope.platformId }) },
    ],
    ...(shape.image === null ? {} : { ImageId: shape.image }),
    ...(shape.subnet === null ? {} : { SubnetId: shape.subnet }),
    ...(shape.securityGroups.length === 0 ? {} : { SecurityGroupIds: [...shape.securityGroups] }),
    ...(shape.profile === null ? {} : { IamInstanceProfile: profileOf(shape.profile) }),
    ...(shape.template === null
      ? {}
      : {
          LaunchTemplate: { LaunchTemplateId: shape.template.id, Version: shape.template.version },
        }),
  };
  return (await scope.calls.run(input)).id;
}

function profileOf(profile: string) {
  return profile.startsWith("arn:") ? { Arn: profile } : { Name: profile };
}

/** A machine of another shape: its agent has ended, its disk is free, and it goes. */
async function giveUp(scope: Ec2Scope, machine: Machine, signal: AbortSignal): Promise<void> {
  await endAgent(scope, machine, signal).catch(() => undefined);
  scope.shell.forget(machine.id);
  await scope.calls.terminate(machine.id);
}

/**
 * The agent's processes have ended and its disk is clean.
 * @throws BackendError, MachineRefusal when that cannot be said.
 */
export async function endAgent(
  { shell }: Ec2Scope,
  machine: Machine,
  signal?: AbortSignal,
): Promise<void> {
  if (machine.state !== "running") return;
  const input = { graceMs: STOP_GRACE_MS, unmounts: true };
  await callMachine(shell, machine, { op: "stop", input }, { signal });
}

/** Somebody can sign in, and the boot script has done its part. @throws BackendError with its last words. */
export async function untilPrepared(
  scope: Ec2Scope,
  machine: Machine,
  signal?: AbortSignal,
): Promise<Hello> {
  const { clock, shell, calls } = scope;
  const deadline = clock.deadline(PREPARED_DEADLINE_MS);
  for (;;) {
    const hello = await callMachine<Hello>(shell, machine, { op: "hello" }, { signal }).catch(
      (error: unknown) => error,
    );
    if (!(hello instanceof Error) && (hello as Hello).isPrepared) return hello as Hello;
    signal?.throwIfAborted();
    const printed = await calls.console(machine.id).catch(() => "");
    const complaint = /^.*molecule: (?!this machine is ready)(.+)$/m.exec(printed)?.[1];
    if (complaint !== undefined) throw notPrepared(complaint.trim().slice(0, 200), hello);
    if (clock.now() > deadline) {
      if (hello instanceof Error) throw hello;
      throw notPrepared("its boot script has not ended", hello);
    }
    await clock.wait(HELLO_POLL_MS, signal);
  }
}

/** The workspace's disk is mounted at the agent's folders. */
export async function mountVolume(
  scope: Ec2Scope,
  machine: Machine,
  of: { readonly workspaceId: string; readonly createToken: string },
  signal: AbortSignal,
): Promise<void> {
  const volumeId = await attachVolume(scope, machine, of, signal);
  const input = { volumeId, device: DATA_DEVICE };
  const deadline = scope.clock.deadline(PREPARED_DEADLINE_MS);
  for (;;) {
    try {
      await callMachine(scope.shell, machine, { op: "mount", input }, { signal });
      return;
    } catch (error) {
      const isEarly = error instanceof MachineRefusal && error.code === "no_device";
      if (!isEarly || scope.clock.now() > deadline) throw refused(error);
      await scope.clock.wait(HELLO_POLL_MS, signal);
    }
  }
}

/** What a machine that was kept has mounted; it is mounted again after a stop. Null: there is no disk yet. */
export async function mountExisting(
  scope: Ec2Scope,
  machine: Machine,
  workspaceId: string,
): Promise<boolean> {
  const attached = (await volumesOf(scope, workspaceId)).find(
    (one) => one.attachedTo === machine.id,
  );
  if (attached === undefined) return false;
  const input = { volumeId: attached.id, device: DATA_DEVICE };
  await callMachine(scope.shell, machine, { op: "mount", input });
  return true;
}

async function startAgent(
  scope: Ec2Scope,
  { machine, hello }: { readonly machine: Machine; readonly hello: Hello },
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<void> {
  const { shell } = scope;
  const { sha256: runtimeSha, archive } = await scope.runtime();
  if (hello.attempt !== null && hello.attempt !== spec.attemptNo) {
    await callMachine(
      shell,
      machine,
      { op: "stop", input: { graceMs: STOP_GRACE_MS } },
      { signal },
    );
  }
  const isThere = hello.runtimeSha === runtimeSha;
  const input = {
    attempt: spec.attemptNo,
    runtime: spec.runtime,
    runtimeSha,
    ...(isThere ? {} : { runtimeGz: archive }),
    files: spec.files.map(({ path, content, mode }) => ({
      path,
      mode,
      content: Buffer.from(content).toString("base64"),
    })),
    removed: spec.removedFiles,
    env: environmentOf(scope, machine, spec),
  };
  try {
    await callMachine(shell, machine, { op: "start", input }, { signal, timeoutMs: 300_000 });
  } catch (error) {
    throw refused(error);
  }
}

/** What the platform sets wins over a secret's name. */
function environmentOf(
  { platformId, settings }: Ec2Scope,
  machine: Machine,
  spec: InstanceSpec,
): Readonly<Record<string, string>> {
  const decided: Record<string, string> = {
    WORKSPACE_ID: spec.workspaceId,
    WORKSPACE_NAME: spec.name.replaceAll("\0", ""),
    WORKSPACE_CONFIG_PATH: MACHINE_ROOTS["/configs"],
    WORKSPACE_DIR_PATH: MACHINE_ROOTS["/workspace"],
    PLUGINS_DIR: MACHINE_ROOTS["/plugins"],
    HOME: MACHINE_ROOTS["/home"],
    PLATFORM_URL: settings.platformUrl,
    MOLECULE_URL: settings.platformUrl,
    PORT: String(RUNTIME_PORT),
    HOST_BIND: "0.0.0.0",
    ...(machine.privateIp === null ? {} : { HOSTNAME: machine.privateIp }),
    TIER: String(spec.tier),
    MOLECULE_ATTEMPT: String(spec.attemptNo),
    MOLECULE_INSTANCE: `${platformId}/${spec.workspaceId}/${spec.attemptNo}`,
    DELEGATION_RESULTS_FILE: `${MACHINE_ROOTS["/home"]}/.molecule/delegation-results.jsonl`,
    AGENT_ADAPTER: spec.runtime,
    AGENT_PACKAGE_DIR: `/opt/agents/${spec.runtime}`,
  };
  const given = Object.entries(spec.env).filter(
    ([name, value]) => ENV_NAME.test(name) && !(name in decided) && !value.includes("\0"),
  );
  return { ...Object.fromEntries(given), ...decided };
}

function notPrepared(why: string, cause: unknown): BackendError {
  return new BackendError(
    {
      code: "create_failed",
      sentence: `The machine could not be made ready: ${why}.`,
      next: "Look at the machine's console and at its image (MOLECULE_EC2_IMAGE), then retry.",
    },
    { isRetryable: false, cause },
  );
}

/** What a machine refused, as a person reads it. */
function refused(error: unknown): unknown {
  if (!(error instanceof MachineRefusal)) return error;
  const isAgent = error.code === "no_agent";
  return new BackendError(
    {
      code: isAgent ? "agent_not_installed" : "create_failed",
      sentence: isAgent
        ? "The machine's image has no package of this agent."
        : `The machine could not start the agent (${error.code}).`,
      next: isAgent
        ? "Use an image that has it below /opt/agents (docs/ec2.md), then retry."
        : "Molecule tries again by itself; the machine's console may say more.",
    },
    { isRetryable: !isAgent, cause: error },
  );
}

/** Every machine of the workspace, for what needs one that runs. */
export async function runningMachineOf(
  scope: Ec2Scope,
  workspaceId: string,
): Promise<Machine | null> {
  const all = (await machinesOf(scope, workspaceId)).filter((one) => one.state === "running");
  const [newest] = [...all].sort(
    (a, b) => Number(b.tags.get(TAG_ATTEMPT)) - Number(a.tags.get(TAG_ATTEMPT)),
  );
  return newest ?? null;
}
