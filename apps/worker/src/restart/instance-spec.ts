import type { AttemptContent } from "@molecule/db/lifecycle/take-snapshot";
import type { InstanceSpec } from "../provisioning/compute-backend.ts";

/** Modes of projected files: secrets are for the agent's own user alone. */
const SECRET_MODE = 0o600;
const FILE_MODE = 0o644;

/** An attempt's content as a backend starts it. What the platform sets wins over a secret's name. */
export function specOf(content: AttemptContent): InstanceSpec {
  return {
    workspaceId: content.workspaceId,
    attemptNo: content.attemptNo,
    name: content.name,
    runtime: content.runtime,
    tier: content.tier,
    createToken: content.createToken,
    env: {
      ...content.env,
      AGENT_ADAPTER: content.runtime,
      AGENT_SECRET_NAMES: Object.keys(content.env).sort().join(","),
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
