import { listManagedFiles } from "@molecule/db/files/managed-files";
import { listWorkspaceSecrets } from "@molecule/db/secrets/secret-store";
import { readConfig, readEffectiveConfig } from "@molecule/db/workspaces/config-rows";
import type { Deps } from "../../deps.ts";

/** Whether one part of the bundle could be read. */
type PartState = { readonly ok: true } | { readonly ok: false; readonly error: string };

/**
 * Everything of a workspace's configuration in one answer. A part that cannot be read is empty and
 * says so in `parts`; the rest is there. Source: contract §9.5. @throws DomainError `not_found`.
 */
export async function readBundle(deps: Deps, workspaceId: string) {
  const row = await readConfig(deps.db, workspaceId);
  const parts: Record<string, PartState> = {};
  const part = async <T>(name: string, read: () => Promise<T>, absent: T): Promise<T> => {
    try {
      const value = await read();
      parts[name] = { ok: true };
      return value;
    } catch (err) {
      deps.log.warn({ err, part: name, workspaceId }, "a part of the configuration was not read");
      parts[name] = { ok: false, error: `The ${name} could not be read right now.` };
      return absent;
    }
  };
  const [effective, files, secrets] = await Promise.all([
    part("effective", () => readEffectiveConfig(deps.db, workspaceId), null),
    part("files", () => listManagedFiles(deps.db, workspaceId), []),
    part("secrets", () => listWorkspaceSecrets(deps.db, deps.cipher, workspaceId), []),
  ]);
  const { model, provider } = row.config;
  return {
    version: row.configVersion,
    desired: { ...row.config, tier: row.tier, generation: row.desiredGen },
    effective: effective === null ? null : { ...effective, generation: row.appliedGen },
    model: { model: model ?? "", source: model === null ? "default" : "workspace_secrets" },
    provider: {
      provider: provider ?? "",
      source: provider === null ? "default" : "workspace_secrets",
    },
    config: row.config.extra,
    files: files.map(({ path, sha256, size }) => ({ path, sha256, size })),
    secrets: secrets.map(({ key, scope }) => ({ key, scope, has_value: true })),
    parts,
  };
}
