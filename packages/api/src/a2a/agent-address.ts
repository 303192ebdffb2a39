import type { Target } from "@molecule/db/registry/targets";
import { isDomainError } from "@molecule/domain/errors";
import type { AgentAddress } from "../adapters/agent-line.ts";
import { parseAgentUrl } from "../adapters/public-address.ts";

/**
 * Where the platform dials a workspace: what the worker recorded for its current attempt, or what an
 * external agent registered. Null when neither is known. What a managed agent registered is never
 * dialled. Source: architecture 10.
 */
export function agentAddressOf(target: Target): AgentAddress | null {
  if (target.backend === "external") return registeredAddress(target.advertisedUrl);
  if (target.providerAddr === null || !/^[^/@\s]+:\d{1,5}$/.test(target.providerAddr)) return null;
  return { url: new URL(`http://${target.providerAddr}/`), trust: "recorded" };
}

function registeredAddress(text: string): AgentAddress | null {
  if (text === "") return null;
  try {
    return { url: parseAgentUrl(text), trust: "registered" };
  } catch (error) {
    if (isDomainError(error)) return null;
    throw error;
  }
}
