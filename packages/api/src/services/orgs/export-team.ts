import type { Transaction } from "@molecule/db/database";
import {
  type ExportRow,
  listExportFiles,
  listExportRows,
  listExportSchedules,
  sumExportFiles,
} from "@molecule/db/orgs/export-rows";
import { loadWorkspaceEnv } from "@molecule/db/secrets/workspace-env";
import { DomainError } from "@molecule/domain/errors";
import { withoutSecrets } from "@molecule/domain/without-secrets";
import { MAX_TEMPLATE_BYTES } from "@molecule/templates/archive/collect-files";
import { MAX_ARCHIVE_BYTES } from "@molecule/templates/archive/read-archive";
import { writeTarGz } from "@molecule/templates/archive/write-tar";
import { ORG_LIMITS } from "@molecule/templates/org-bundle";
import { type ExportedAgent, exportOrg } from "@molecule/templates/org-export";
import type { Deps } from "../../deps.ts";

/** A team as it can be taken along: a `.tar.gz` without a secret. */
export interface TeamExport {
  readonly fileName: string;
  readonly content: Uint8Array;
  readonly workspaces: number;
  readonly files: number;
  /** Files in which a secret stood: blanked where they are text, left out where they are not. */
  readonly blanked: readonly string[];
}

/**
 * A workspace with everything below it, or the whole organisation for null, as a bundle that
 * `POST /org/import` takes. The same organisation gives the same bytes. SPEC: OR10.
 * @throws DomainError `not_found`, `payload_too_large` for what could not be imported again.
 */
export async function exportTeam(deps: Deps, rootId: string | null): Promise<TeamExport> {
  return await deps.db.transaction(async (tx) => {
    const rows = await listExportRows(tx, rootId);
    const root = rows.find(({ id }) => id === rootId);
    if (rows.length === 0) {
      throw new DomainError(
        "not_found",
        rootId === null ? "There is nothing to export." : "There is no such workspace.",
      );
    }
    const ids = rows.map(({ id }) => id);
    if ((await sumExportFiles(tx, ids)) > MAX_TEMPLATE_BYTES) throw tooLarge();
    const agents = await agentsOf(tx, rows, rootId);
    const name = root?.name ?? "Organisation";
    const { files, blanked } = blank(exportOrg(name, agents), await secretsOf(deps, tx, ids));
    const content = await writeTarGz(files);
    if (files.size > ORG_LIMITS.maxFiles || content.length > MAX_ARCHIVE_BYTES) throw tooLarge();
    deps.log.info({ workspaces: rows.length, files: files.size }, "a team was exported");
    return {
      fileName: `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-") || "team"}.tar.gz`,
      content,
      workspaces: rows.length,
      files: files.size,
      blanked,
    };
  });
}

async function agentsOf(
  tx: Transaction,
  rows: readonly ExportRow[],
  rootId: string | null,
): Promise<ExportedAgent[]> {
  const ids = rows.map(({ id }) => id);
  const files = groupedBy(await listExportFiles(tx, ids), (file) => file.workspaceId);
  const schedules = groupedBy(await listExportSchedules(tx, ids), (one) => one.workspaceId);
  const below = groupedBy(rows, ({ id, parentId }) => (id === rootId ? null : parentId));
  const agent = (row: ExportRow): ExportedAgent => ({
    ...row,
    place: { x: row.x, y: row.y },
    schedules: schedules.get(row.id) ?? [],
    files: new Map((files.get(row.id) ?? []).map(({ path, content }) => [path, content])),
    children: (below.get(row.id) ?? []).map(agent),
  });
  return (below.get(null) ?? []).map(agent);
}

function groupedBy<T, K>(list: readonly T[], keyOf: (one: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

/** Every secret that any of them runs with: one may have written down another's. */
async function secretsOf(deps: Deps, tx: Transaction, ids: readonly string[]): Promise<string[]> {
  const values = new Set<string>();
  for (const id of ids) {
    const { env } = await loadWorkspaceEnv(tx, deps.cipher, id);
    for (const value of Object.values(env)) values.add(value);
  }
  return [...values];
}

function blank(files: ReadonlyMap<string, Uint8Array>, secrets: readonly string[]) {
  const kept = new Map<string, Uint8Array>();
  const blanked: string[] = [];
  for (const [path, content] of files) {
    const bytes = Buffer.from(content);
    const isTold = secrets.some(
      (value) => withoutSecrets(value, [value]) !== value && has(bytes, value),
    );
    const text = bytes.toString("utf8");
    // Text without a secret, or anything else in which none stands, is taken as it is.
    if (!isTold) {
      kept.set(path, content);
      continue;
    }
    blanked.push(path);
    if (!Buffer.from(text).equals(bytes)) continue;
    const escaped = secrets.map((value) => JSON.stringify(value).slice(1, -1));
    kept.set(path, Buffer.from(withoutSecrets(text, [...secrets, ...escaped])));
  }
  return { files: kept, blanked };
}

function has(bytes: Buffer, value: string): boolean {
  // YAML writes what is in quotes with escapes.
  const escaped = JSON.stringify(value).slice(1, -1);
  return bytes.includes(value) || bytes.includes(escaped);
}

function tooLarge(): DomainError {
  return new DomainError("payload_too_large", "This is more than one bundle holds.", {
    next: "Export a smaller team.",
  });
}
