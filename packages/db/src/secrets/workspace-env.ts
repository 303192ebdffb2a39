import { eq } from "drizzle-orm";
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
  const own = await orm
    .select()
    .from(workspaceSecrets)
    .where(eq(workspaceSecrets.workspaceId, workspaceId));
  const ownKeys = new Set(own.map((row) => row.key));
  const inherited = (await orm.select().from(globalSecrets)).filter((row) => !ownKeys.has(row.key));
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
