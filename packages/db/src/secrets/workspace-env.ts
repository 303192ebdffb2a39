import { eq, sql } from "drizzle-orm";
import { unionAll } from "drizzle-orm/pg-core";
import { ormOf, type Queryable } from "../database.ts";
import { globalSecrets, workspaceSecrets } from "../schema/content.ts";
import type { SecretCipher } from "./cipher.ts";
import { GLOBAL_SCOPE } from "./secret-store.ts";

/** The secrets an instance is started with. The values are never logged. */
export interface WorkspaceEnv {
  readonly env: Readonly<Record<string, string>>;
  /** Keys that cannot be decrypted, as `workspace:KEY` or `global:KEY`; nothing may start then. */
  readonly unreadable: readonly string[];
}

/** The organisation's secrets overlaid with the workspace's own; an own key hides the global one. */
export async function loadWorkspaceEnv(
  q: Queryable,
  cipher: SecretCipher,
  workspaceId: string,
): Promise<WorkspaceEnv> {
  const orm = ormOf(q);
  const columns = (table: typeof workspaceSecrets | typeof globalSecrets) => ({
    key: table.key,
    record: table.record,
    encryptionVersion: table.encryptionVersion,
  });
  const isOwn = (is: boolean) => sql<boolean>`${sql.raw(String(is))}`.as("is_own");
  const rows = await unionAll(
    orm
      .select({ ...columns(workspaceSecrets), isOwn: isOwn(true) })
      .from(workspaceSecrets)
      .where(eq(workspaceSecrets.workspaceId, workspaceId)),
    orm.select({ ...columns(globalSecrets), isOwn: isOwn(false) }).from(globalSecrets),
  );
  const own = rows.filter((row) => row.isOwn);
  const ownKeys = new Set(own.map((row) => row.key));
  const inherited = rows.filter((row) => !row.isOwn && !ownKeys.has(row.key));
  const env: Record<string, string> = {};
  const unreadable: string[] = [];
  for (const row of inherited) {
    const value = cipher.decrypt({ scope: GLOBAL_SCOPE, key: row.key }, row);
    if (value === null) unreadable.push(`global:${row.key}`);
    else env[row.key] = value;
  }
  for (const row of own) {
    const value = cipher.decrypt({ scope: workspaceId, key: row.key }, row);
    if (value === null) unreadable.push(`workspace:${row.key}`);
    else env[row.key] = value;
  }
  return { env, unreadable: unreadable.sort() };
}
