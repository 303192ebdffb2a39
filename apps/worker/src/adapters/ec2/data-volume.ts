import { BackendError } from "../../provisioning/compute-backend.ts";
import type { Machine, Volume } from "./ec2-calls.ts";
import {
  clientToken,
  DATA_DEVICE,
  TAG_PLATFORM,
  TAG_WORKSPACE,
  workspaceTags,
} from "./ec2-names.ts";
import type { MachineSource } from "./machines.ts";

const POLL_MS = 2_000;
const DEADLINE_MS = 5 * 60_000;
/** States in which a volume still holds something. */
const PRESENT = new Set(["creating", "available", "in-use"]);

/** The workspace's volumes; one, unless somebody made another by hand. */
export async function volumesOf(
  { calls, platformId }: MachineSource,
  workspaceId: string,
): Promise<readonly Volume[]> {
  const all = await calls.volumes({ [TAG_PLATFORM]: platformId, [TAG_WORKSPACE]: workspaceId });
  return all.filter((one) => PRESENT.has(one.state));
}

/**
 * The workspace's one data volume hangs on the machine: the one it has, or a new one that is encrypted.
 * Resolves with its id. @throws BackendError when it is in another zone.
 */
export async function attachVolume(
  source: MachineSource,
  machine: Machine,
  of: { readonly workspaceId: string; readonly createToken: string },
  signal: AbortSignal,
): Promise<string> {
  const { calls, clock, platformId } = source;
  const [existing] = await volumesOf(source, of.workspaceId);
  if (existing !== undefined && existing.zone !== machine.zone) throw otherZone(existing, machine);
  const id =
    existing?.id ??
    (await calls.createVolume({
      zone: machine.zone,
      token: clientToken(of.createToken, "volume"),
      tags: workspaceTags(platformId, of.workspaceId),
    }));
  const deadline = clock.deadline(DEADLINE_MS);
  for (;;) {
    const volume = (await volumesOf(source, of.workspaceId)).find((one) => one.id === id);
    if (volume?.attachedTo === machine.id && volume.state === "in-use") return id;
    if (volume?.state === "available") await calls.attach(id, machine.id, DATA_DEVICE);
    // A machine that ends gives it back by itself; one that rests or was fenced keeps it.
    else if (volume !== undefined && volume.attachedTo !== null) await takeFrom(source, volume);
    if (clock.now() > deadline) throw notFree();
    await clock.wait(POLL_MS, signal);
  }
}

async function takeFrom({ calls }: MachineSource, volume: Volume): Promise<void> {
  const holder = volume.attachedTo === null ? null : await calls.machine(volume.attachedTo);
  if (holder === null || holder.state === "shutting-down" || holder.state === "terminated") return;
  await calls.detach(volume.id);
}

/** Nothing is left of what the workspace stored. */
export async function removeVolumes(source: MachineSource, workspaceId: string): Promise<void> {
  const { calls, clock } = source;
  const deadline = clock.deadline(DEADLINE_MS);
  for (;;) {
    const left = await volumesOf(source, workspaceId);
    if (left.length === 0) return;
    for (const volume of left) {
      if (volume.state === "available") await calls.deleteVolume(volume.id);
      else if (volume.attachedTo !== null) await calls.detach(volume.id, true);
    }
    if (clock.now() > deadline) throw notFree();
    await clock.wait(POLL_MS);
  }
}

function otherZone(volume: Volume, machine: Machine): BackendError {
  return new BackendError(
    {
      code: "create_failed",
      sentence: `The disk of this agent is in ${volume.zone}, and its machine was made in ${machine.zone}.`,
      next: "Set MOLECULE_EC2_SUBNET to a subnet of the disk's zone, or reset the workspace.",
    },
    { isRetryable: false },
  );
}

function notFree(): BackendError {
  return new BackendError(
    {
      code: "stop_failed",
      sentence: "The disk of this agent does not come free from its last machine.",
      next: "Molecule tries again by itself.",
    },
    { isRetryable: true },
  );
}
