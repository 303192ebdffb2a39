import type { RequestPermissionRequest, RequestPermissionResponse } from "@agentclientprotocol/sdk";

/**
 * Allows once what is asked, never for good; when that is not offered, rejects once. What an agent may
 * do is fenced by its user and container, not here. Options are told apart by kind, because their ids
 * differ per agent.
 */
export function permissionAnswer(request: RequestPermissionRequest): RequestPermissionResponse {
  const option =
    request.options.find(({ kind }) => kind === "allow_once") ??
    request.options.find(({ kind }) => kind === "reject_once");
  return option === undefined
    ? { outcome: { outcome: "cancelled" } }
    : { outcome: { outcome: "selected", optionId: option.optionId } };
}
