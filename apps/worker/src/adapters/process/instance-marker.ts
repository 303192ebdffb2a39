import type { InstanceKey } from "../../provisioning/compute-backend.ts";

/** Value of MOLECULE_INSTANCE: everything an instance starts inherits it. */
export function markerOf(platformId: string, key: InstanceKey): string {
  return `${platformId}/${key.workspaceId}/${key.attemptNo}`;
}

/** The instance behind a marker; null for another platform's or none of ours. */
export function parseMarker(platformId: string, marker: string | null): InstanceKey | null {
  const [platform, workspaceId, attempt, ...rest] = marker?.split("/") ?? [];
  if (platform !== platformId || workspaceId === undefined || rest.length > 0) return null;
  if (!/^[0-9a-f-]{36}$/.test(workspaceId) || !/^\d+$/.test(attempt ?? "")) return null;
  return { workspaceId, attemptNo: Number(attempt) };
}
