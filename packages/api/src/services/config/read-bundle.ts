import { listManagedFiles } from "@molecule/db/files/managed-files";
import { listWorkspaceSecrets } from "@molecule/db/secrets/secret-store";
import { readConfig, readEffectiveConfig } from "@molecule/db/workspaces/config-rows";
import type { Deps } from "../../deps.ts";
import { partsOf } from "./read-parts.ts";

/**
 * Everything of a workspace's configuration in one answer. A part that cannot be read is empty and
 * says so in `parts`; the rest is there. Source: contract §9.5. @throws DomainError `not_found`.
 */
export async function readBundle(deps: Deps, workspaceId: string) {
  const row = await readConfig(deps.db, workspaceId);
  const { states, read } = partsOf(deps, workspaceId);
  const [effective, files, secrets] = await Promise.all([
    read("effective", () => readEffectiveConfig(deps.db, workspaceId), null),
    read("files", () => listManagedFiles(deps.db, workspaceId), []),
    read("secrets", () => listWorkspaceSecrets(deps.db, deps.cipher, workspaceId), []),
  ]);
  return {
    version: row.configVersion,
    desired: {
      ...row.config,
      runtime: row.runtime,
      tier: row.tier,
      generation: row.desiredGen,
    },
    effective:
      effective === null ? null : { ...effective.config, generation: effective.generation },
    model: modelView(row.config.model),
    provider: providerView(row.config.provider),
    config: row.config.extra,
    files: files.map(({ path, sha256, size }) => ({ path, sha256, size })),
    secrets: secrets.map(({ key, scope }) => ({ key, scope, has_value: true })),
    parts: states,
  };
}

/** The document's model as it is on the wire. Source: wire contract §10. */
export function modelView(model: string | null) {
  return { model: model ?? "", source: sourceOnWire(model) };
}

/** The document's provider as it is on the wire. Source: wire contract §10. */
export function providerView(provider: string | null) {
  return { provider: provider ?? "", source: sourceOnWire(provider) };
}

function sourceOnWire(value: string | null) {
  return value === null ? "default" : "workspace_secrets";
}
