import type { AttemptContent, ContentFile } from "@molecule/db/lifecycle/take-snapshot";
import { isDecidedByPlatform } from "@molecule/domain/platform-env";
import { pluginOfPath } from "@molecule/domain/plugins";
import type { InstanceSpec } from "../provisioning/compute-backend.ts";

/** Modes of projected files: secrets are for the agent's own user alone. */
const SECRET_MODE = 0o600;
const FILE_MODE = 0o644;
/** Scripts of plugins can be run as they are. */
const SCRIPT_MODE = 0o755;

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
      mode: modeOf(file),
    })),
    removedFiles: content.removedFiles,
  };
}

function modeOf({ path, content, isSecret }: ContentFile): number {
  if (isSecret) return SECRET_MODE;
  const isScript = content[0] === 0x23 && content[1] === 0x21;
  return isScript && pluginOfPath(path) !== null ? SCRIPT_MODE : FILE_MODE;
}
