import type { InstanceKey } from "../../provisioning/compute-backend.ts";

/** Which volume is mounted where. `/home` of the Files API is the agent's home folder. */
export const VOLUME_MOUNTS = {
  configs: "/configs",
  workspace: "/workspace",
  home: "/home/agent",
  plugins: "/plugins",
} as const;
export type VolumeKind = keyof typeof VOLUME_MOUNTS;
export const VOLUME_KINDS: readonly VolumeKind[] = ["configs", "workspace", "home", "plugins"];

/** Labels on everything this platform makes. Source: lifecycle A5, wire contract §19.1. */
export const LABEL_MANAGED = "molecule.platform.managed";
export const LABEL_PLATFORM = "molecule.platform";
export const LABEL_WORKSPACE = "molecule.workspace";
const LABEL_ATTEMPT = "molecule.attempt";
/** On short-lived containers that read or write volumes; such a container is never an instance. */
export const LABEL_TASK = "molecule.task";

/** The name agents and people know a workspace's container by; the same for every attempt. */
export function aliasOf(workspaceId: string): string {
  return `ws-${workspaceId.slice(0, 12)}`;
}

/** The container's name: two containers of one attempt cannot exist. */
export function containerNameOf(key: InstanceKey): string {
  return `${aliasOf(key.workspaceId)}-${key.attemptNo}`;
}

export function volumeNameOf(workspaceId: string, kind: VolumeKind): string {
  return `ws-${workspaceId}-${kind}`;
}

export function networkNameOf(platformId: string): string {
  return `molecule-${platformId.slice(0, 8)}`;
}

/** The bridge's device name, at most 15 characters (IFNAMSIZ); a second bridge cannot take it. */
export function bridgeNameOf(platformId: string): string {
  return `br-mol-${platformId.slice(0, 8)}`;
}

export function platformLabels(platformId: string): Record<string, string> {
  return { [LABEL_MANAGED]: "true", [LABEL_PLATFORM]: platformId };
}

export function workspaceLabels(platformId: string, workspaceId: string): Record<string, string> {
  return { ...platformLabels(platformId), [LABEL_WORKSPACE]: workspaceId };
}

export function instanceLabels(platformId: string, key: InstanceKey): Record<string, string> {
  return {
    ...workspaceLabels(platformId, key.workspaceId),
    [LABEL_ATTEMPT]: String(key.attemptNo),
  };
}

/** The attempt that labels name, or null when they are not those of an instance of this platform. */
export function keyFromLabels(
  platformId: string,
  labels: Readonly<Record<string, string>> | null | undefined,
): InstanceKey | null {
  if (labels?.[LABEL_PLATFORM] !== platformId || labels[LABEL_TASK] !== undefined) return null;
  const workspaceId = labels[LABEL_WORKSPACE];
  const attemptNo = Number(labels[LABEL_ATTEMPT]);
  if (workspaceId === undefined || !Number.isSafeInteger(attemptNo) || attemptNo < 1) return null;
  return { workspaceId, attemptNo };
}
