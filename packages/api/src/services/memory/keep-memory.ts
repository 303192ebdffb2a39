import { createHash } from "node:crypto";
import { logActivity } from "@molecule/db/activity/activity-log";
import type { Transaction } from "@molecule/db/database";
import { lockWorkspace } from "@molecule/db/lifecycle/lock-workspace";
import { insertMemory, type MemoryRow, type NewMemory } from "@molecule/db/memory/memory-rows";
import { loadWorkspaceEnv } from "@molecule/db/secrets/workspace-env";
import { DomainError } from "@molecule/domain/errors";
import { mayWriteMemory } from "@molecule/domain/memory";
import { withoutSecrets } from "@molecule/domain/without-secrets";
import type { Deps } from "../../deps.ts";

/**
 * Keeps a memory without the secrets its workspace runs with. One for a whole tree is told in the
 * activity. SPEC: ME4, ME7, ME8.
 * @throws DomainError `not_found`, `removed`, `forbidden` (GLOBAL below a root), `rate_limited`.
 */
export async function keepMemory(deps: Deps, memory: NewMemory): Promise<MemoryRow> {
  return await deps.db.transaction(async (tx) => {
    const { row: author } = await lockWorkspace(tx, memory.workspaceId);
    if (!mayWriteMemory(author, memory.scope)) {
      throw new DomainError(
        "forbidden",
        "Only a workspace that stands below no other remembers for a whole tree.",
        { next: "Use the scope TEAM, or ask the workspace at the top." },
      );
    }
    return await storeMemory(deps, tx, memory);
  });
}

/** The same in a transaction that has locked or made the workspace; asks nobody whether it may. */
export async function storeMemory(
  deps: Pick<Deps, "cipher">,
  tx: Transaction,
  memory: NewMemory,
): Promise<MemoryRow> {
  const secrets = await secretsOf(deps, tx, memory.workspaceId);
  const { row, isNew } = await insertMemory(tx, {
    ...memory,
    namespace: withoutSecrets(memory.namespace, secrets),
    content: withoutSecrets(memory.content, secrets),
  });
  if (isNew && row.scope === "GLOBAL") await tellTree(tx, row);
  return row;
}

/** The values that nothing may be stored with in the open. */
export async function secretsOf(
  { cipher }: Pick<Deps, "cipher">,
  tx: Transaction,
  workspaceId: string,
): Promise<readonly string[]> {
  return Object.values((await loadWorkspaceEnv(tx, cipher, workspaceId)).env);
}

/** What everybody below reads leaves a trace that its author cannot delete. */
async function tellTree(tx: Transaction, row: MemoryRow): Promise<void> {
  await logActivity(tx, {
    workspaceId: row.workspaceId,
    type: "memory_write_global",
    status: "ok",
    sourceId: row.workspaceId,
    method: "memory",
    summary: `Remembered for everybody below: ${row.content.slice(0, 80)}`,
    requestBody: {
      memory_id: row.id,
      namespace: row.namespace,
      sha256: createHash("sha256").update(row.content).digest("hex"),
    },
  });
}
