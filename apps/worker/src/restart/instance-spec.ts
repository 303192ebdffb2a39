import type { AttemptContent } from "@molecule/db/lifecycle/take-snapshot";
import { isDecidedByPlatform } from "@molecule/domain/platform-env";
import type { InstanceSpec } from "../provisioning/compute-backend.ts";

/** Modes of projected files: secrets are for the agent's own user alone. */
const SECRET_MODE = 0o600;
const FILE_MODE = 0o644;

/**
 * An attempt's content as a backend starts it. What the platform sets wins over a secret's name; a model
 * that was not chosen is unset and not taken from a secret.
 */
export function specOf(content: AttemptContent): InstanceSpec {
  const secrets = Object.entries(content.env).filter(([name]) => !isDecidedByPlatform(name));
  return {
    workspaceId: content.workspaceId,
    attemptNo: content.attemptNo,
    name: content.name,
    runtime: content.runtime,
    tier: content.tier,
    createToken: content.createToken,
    env: {
      ...Object.fromEntries(secrets),
      AGENT_ADAPTER: content.runtime,
      AGENT_SECRET_NAMES: secrets
        .map(([name]) => name)
        .sort()
        .join(","),
      ...(content.model === null ? {} : { MODEL: content.model, MODEL_PROVIDER: content.model }),
      ...(content.provider === null ? {} : { LLM_PROVIDER: content.provider }),
    },
    files: content.files.map((file) => ({
      path: file.path,
      content: file.content,
      mode: file.isSecret ? SECRET_MODE : FILE_MODE,
    })),
    removedFiles: content.removedFiles,
  };
}
