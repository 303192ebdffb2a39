import type { Database } from "@molecule/db/database";
import type { SecretCipher } from "@molecule/db/secrets/cipher";
import { loadWorkspaceEnv } from "@molecule/db/secrets/workspace-env";
import { withoutSecrets } from "@molecule/domain/without-secrets";
import type { ComputeBackend, InstanceKey } from "../provisioning/compute-backend.ts";

const LINES = 40;
const MAX_LENGTH = 8_000;

/** What an excerpt is read from. */
export interface ExcerptSources {
  readonly db: Database;
  readonly cipher: SecretCipher;
}

/** The instance's last lines without the workspace's secrets; undefined when there are none. */
export async function readExcerpt(
  sources: ExcerptSources,
  backend: ComputeBackend,
  key: InstanceKey,
): Promise<string | undefined> {
  try {
    const lines = await backend.logs(key.workspaceId, key.attemptNo, LINES);
    if (lines.length === 0) return undefined;
    const { env } = await loadWorkspaceEnv(sources.db, sources.cipher, key.workspaceId);
    return withoutSecrets(lines.join("\n"), Object.values(env)).slice(-MAX_LENGTH);
  } catch {
    // The excerpt helps a person; a failure to read it must not hide the failure it belongs to.
    return undefined;
  }
}
