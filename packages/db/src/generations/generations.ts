import type { SecretMark } from "@molecule/contracts/generations";
import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import { type MergedChange, mergeChanges } from "@molecule/domain/explain";
import type { ActorKind, Runtime } from "@molecule/domain/sets";
import { and, desc, eq, inArray, isNull, lt, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { managedFiles } from "../schema/content.ts";
import {
  generations,
  managedFileVersions,
  workspaceSecretVersions,
} from "../schema/generations.ts";
import { changes } from "../schema/workspaces.ts";
import type { StoredSecret } from "../secrets/cipher.ts";

/** The desired state of a workspace as it was. */
export interface Generation {
  readonly workspaceId: string;
  readonly gen: number;
  readonly at: Date;
  readonly actorKind: ActorKind;
  readonly actorName: string;
  readonly role: string | null;
  readonly tier: number;
  readonly runtime: Runtime;
  readonly template: string | null;
  readonly config: WorkspaceConfig;
  /** Hash of each managed file by its path. */
  readonly files: Readonly<Record<string, string>>;
  /** Which secrets it had; never a value. */
  readonly secrets: readonly SecretMark[];
  readonly rolledBackTo: number | null;
}

/** A generation of the history, with what made it. */
export interface ListedGeneration {
  readonly generation: Generation;
  /** The writes of this generation; empty for the first one. */
  readonly merged: readonly MergedChange[];
}

/** Newest first; `before` leaves out that number and every later one. */
export async function listGenerations(
  q: Queryable,
  workspaceId: string,
  page: { readonly before?: number | undefined; readonly limit: number },
): Promise<ListedGeneration[]> {
  const orm = ormOf(q);
  const rows = await orm
    .select()
    .from(generations)
    .where(
      and(
        eq(generations.workspaceId, workspaceId),
        page.before === undefined ? undefined : lt(generations.gen, page.before),
      ),
    )
    .orderBy(desc(generations.gen))
    .limit(page.limit);
  if (rows.length === 0) return [];
  const written = await orm
    .select()
    .from(changes)
    .where(
      and(
        eq(changes.workspaceId, workspaceId),
        inArray(
          changes.gen,
          rows.map((row) => row.gen),
        ),
      ),
    )
    .orderBy(changes.id);
  return rows.map((generation) => ({
    generation,
    merged: mergeChanges(written.filter((change) => change.gen === generation.gen)),
  }));
}

/** One generation; null when it is no longer kept, or was never there. */
export async function readGeneration(
  q: Queryable,
  workspaceId: string,
  gen: number,
): Promise<Generation | null> {
  const [row] = await ormOf(q)
    .select()
    .from(generations)
    .where(and(eq(generations.workspaceId, workspaceId), eq(generations.gen, gen)));
  return row ?? null;
}

/** Notes which generation's content a new one takes back; its row is completed at the commit. */
export async function markRolledBack(
  tx: Transaction,
  workspaceId: string,
  { gen, to }: { readonly gen: number; readonly to: number },
): Promise<void> {
  await ormOf(tx).execute(sql`SELECT keep_generation(${workspaceId}::uuid, ${gen}::bigint)`);
  await ormOf(tx)
    .update(generations)
    .set({ rolledBackTo: to })
    .where(and(eq(generations.workspaceId, workspaceId), eq(generations.gen, gen)));
}

/** The bytes behind these hashes, as the workspace's files hold or held them; a forgotten one is absent. */
export async function readContents(
  q: Queryable,
  workspaceId: string,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  if (hashes.length === 0) return new Map();
  const orm = ormOf(q);
  const present = await orm
    .select({ sha256: managedFiles.sha256, content: managedFiles.content })
    .from(managedFiles)
    .where(
      and(
        eq(managedFiles.workspaceId, workspaceId),
        isNull(managedFiles.deletedAt),
        inArray(managedFiles.sha256, [...hashes]),
      ),
    );
  const earlier = await orm
    .select({ sha256: managedFileVersions.sha256, content: managedFileVersions.content })
    .from(managedFileVersions)
    .where(
      and(
        eq(managedFileVersions.workspaceId, workspaceId),
        inArray(managedFileVersions.sha256, [...hashes]),
      ),
    );
  return new Map([...earlier, ...present].map(({ sha256, content }) => [sha256, content]));
}

/** A value that a workspace's own secret has, or had. */
export interface SecretVersion extends StoredSecret {
  readonly key: string;
  readonly version: number;
}

/** The values that are kept of the workspace's own secrets: ten of each, also of removed ones. */
export async function listSecretVersions(
  q: Queryable,
  workspaceId: string,
): Promise<SecretVersion[]> {
  return await ormOf(q)
    .select({
      key: workspaceSecretVersions.key,
      version: workspaceSecretVersions.version,
      record: workspaceSecretVersions.record,
      encryptionVersion: workspaceSecretVersions.encryptionVersion,
    })
    .from(workspaceSecretVersions)
    .where(eq(workspaceSecretVersions.workspaceId, workspaceId));
}
