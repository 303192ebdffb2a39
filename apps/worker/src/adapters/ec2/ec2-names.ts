import { createHash } from "node:crypto";
import type { InstanceKey } from "../../provisioning/compute-backend.ts";
import type { MachineShape } from "./ec2-settings.ts";

/** Tags on everything this platform makes. Source: lifecycle A5. */
export const TAG_PLATFORM = "molecule.platform";
export const TAG_WORKSPACE = "molecule.workspace";
export const TAG_ATTEMPT = "molecule.attempt";
/** Digest of what a machine was made from; another one means that it has to be replaced. */
export const TAG_SHAPE = "molecule.shape";
/** Where the agent listens on its machine. */
export const RUNTIME_PORT = 8000;
/** The device that the data volume is attached as. */
export const DATA_DEVICE = "/dev/sdf";

export function workspaceTags(platformId: string, workspaceId: string): Record<string, string> {
  return {
    "molecule.platform.managed": "true",
    [TAG_PLATFORM]: platformId,
    [TAG_WORKSPACE]: workspaceId,
  };
}

/** The attempt that tags name; null when they are not those of a machine of this platform. */
export function keyFromTags(
  platformId: string,
  tags: ReadonlyMap<string, string>,
): InstanceKey | null {
  if (tags.get(TAG_PLATFORM) !== platformId) return null;
  const workspaceId = tags.get(TAG_WORKSPACE);
  const attemptNo = Number(tags.get(TAG_ATTEMPT));
  if (workspaceId === undefined || !Number.isSafeInteger(attemptNo) || attemptNo < 1) return null;
  return { workspaceId, attemptNo };
}

/** Image, type, profile, network and boot script: a machine of another digest is replaced. */
export function shapeDigest(shape: MachineShape, bootScript: string): string {
  return digest(JSON.stringify([shape, bootScript])).slice(0, 16);
}

/**
 * A client token: the same creation, the same machine. Other parameters need another token, which AWS
 * would refuse under the same one.
 */
export function clientToken(createToken: string, purpose: string): string {
  return digest(`${createToken}|${purpose}`);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
